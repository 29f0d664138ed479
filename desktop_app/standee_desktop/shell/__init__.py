"""The application: its window, menus, dialogs, and the assembly of all parts."""
