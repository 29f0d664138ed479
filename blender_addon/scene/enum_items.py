"""Enum items: (identifier, name, tooltip)."""

FITS = (
    ("contain", "Contain", "Show the whole picture inside the rectangle"),
    ("cover", "Cover", "Fill the rectangle; the picture may reach over it and is cut"),
    ("stretch", "Stretch", "Fill the rectangle exactly, whatever the picture's aspect"),
)
SOURCES = (
    ("NONE", "None", "The whole picture is generated around the subjects"),
    ("PICTURE", "Picture", "Compose into the picture chosen here"),
    ("RENDER", "Fresh Render", "Render the scene without the bound objects, each time anew"),
    ("VIEWPORT", "Viewport", "Take what the 3D view shows through the camera, each time anew"),
    ("RESULT", "Render Result", "Take the last render that you made (F12)"),
)
SCENE_CONTROL = (
    ("NONE", "Off", "The picture follows the prompt and the subjects alone"),
    ("DEPTH", "Depth", "The picture follows how far the scene is from the camera"),
    ("NORMALS", "Normals", "The picture follows which way the scene faces"),
    ("BOTH", "Depth and Normals", "The picture follows both, where the model takes both"),
)
SHOWN_AS = (
    ("FRAME", "Camera Frame", "Draw it in the camera frame of 3D views, in front of everything"),
    ("IMAGE_EDITOR", "Image Editor", "Show it in an open Image Editor"),
    ("BACKGROUND", "Camera Background", "Show it behind the scene, through the camera"),
    ("PLANE", "Plane", "Stand it before the camera as an image that no render shows"),
    ("NONE", "Nowhere", "Only keep it in the list"),
)
