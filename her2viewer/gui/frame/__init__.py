"""What stands around the panes: menus and tool bar, docks, full screen, hints, and the window's place on the screens."""
