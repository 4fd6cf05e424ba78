import numpy as np
import torch

from her2viewer.scoring.attribution.class_activation import RULES, grad_cam_plus_plus
from her2viewer.scoring.methods import METHODS


def test_every_method_by_gradient_has_its_rule() -> None:
    assert set(RULES) == {name for name, method in METHODS.items() if not method.slow}


def test_grad_cam_plus_plus_is_equation_19_for_small_gradients_too() -> None:
    """Beside 1e-6 in the denominator, as others have it, gradients of 1e-5 would vanish."""
    generator = torch.Generator().manual_seed(3)
    activation = torch.rand(5, 4, 6, generator=generator)
    gradient = 1e-5 * torch.randn(5, 4, 6, generator=generator)
    a, g = activation.double().numpy(), gradient.double().numpy()
    share = g**2 / (2 * g**2 + a.sum(axis=(1, 2), keepdims=True) * g**3)
    weight = (share * np.maximum(g, 0)).sum(axis=(1, 2))
    expected = (weight[:, None, None] * a).sum(axis=0)
    measured = grad_cam_plus_plus(activation, gradient).numpy()
    assert np.abs(measured - expected).max() <= 1e-5 * expected.max()


def test_without_a_gradient_there_is_no_evidence() -> None:
    activation, none = torch.ones(3, 2, 2), torch.zeros(3, 2, 2)
    for rule in RULES.values():
        assert not rule(activation, none).any()
