"""Who turns a wish into work and its result into state. Widgets stay outside: controllers can be tested without one."""
