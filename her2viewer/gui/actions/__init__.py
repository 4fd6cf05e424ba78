"""Every action of the window, declared once: menus, tool bar, shortcut sheet and command search are made from this."""
