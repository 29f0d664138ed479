"""Application shell: window, menus, dialogs, and the assembly of all parts."""
