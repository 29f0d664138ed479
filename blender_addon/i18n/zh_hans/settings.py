"""Chinese for the preferences and the properties of layers, scene, canvas and view."""

SETTINGS: dict[str, str] = {
    # preferences
    "Connection File": "连接文件",
    "The file that the daemon wrote or that `standee pair` made. Empty: your own daemon": (
        "守护进程写出的文件，或由 `standee pair` 生成的文件。留空则使用您自己的守护进程"
    ),
    "Mark Pictures as Made by a Model": "标明图片由模型生成",
    "Say in the metadata of the pictures that are written that a model made them": (
        "在写出的图片的元数据中注明由模型生成"
    ),
    "Start the Daemon When Needed": "需要时启动守护进程",
    "Launch the daemon when you compose and none is running": "合成时若没有守护进程在运行，则启动它",
    "Start Command": "启动命令",
    "How to start the daemon: the path of a Python that has standee[backend], or a command."
    " Empty: `standee serve`, if it is installed": (
        "如何启动守护进程：装有 standee[backend] 的 Python 路径，或一条命令。"
        "留空则使用已安装的 `standee serve`"
    ),
    "Picture Opacity": "图片不透明度",
    "How solid the subjects are drawn in the 3D view": "主体在 3D 视图中绘制的不透明程度",
    "Outline": "轮廓",
    "The colour of rectangles": "矩形的颜色",
    "Selected": "选中",
    "The colour of the selected rectangle and its handles": "选中矩形及其控制柄的颜色",
    "Bound": "绑定",
    "The colour of rectangles that follow a 3D object": "跟随 3D 物体的矩形的颜色",
    "Line Width": "线宽",
    "The width of outlines in pixels, before the interface's scale": "轮廓线宽（像素，界面缩放之前）",
    "Daemon": "守护进程",
    # layers
    "Layers": "主体",
    "Name": "名称",
    "What you call it": "您给它起的名字",
    "Picture": "图片",
    "The subject: a picture, best with a transparent background": "主体：一张图片，最好带透明背景",
    "Cut-out": "抠图",
    "White (or opaque) where the subject is. Empty: the picture's own transparency": (
        "主体所在处为白色（或不透明）。留空则使用图片自身的透明度"
    ),
    "X": "X",
    "Y": "Y",
    "The left edge in pixels of the canvas": "左边缘（画布像素）",
    "The upper edge in pixels of the canvas": "上边缘（画布像素）",
    "Width": "宽度",
    "Height": "高度",
    "The width in pixels of the canvas": "宽度（画布像素）",
    "The height in pixels of the canvas": "高度（画布像素）",
    "Fit": "适配",
    "How the picture lies in its rectangle": "图片如何放入矩形",
    "Contain": "包含",
    "Show the whole picture inside the rectangle": "在矩形内显示整张图片",
    "Cover": "覆盖",
    "Fill the rectangle; the picture may reach over it and is cut": "填满矩形；超出的部分被裁掉",
    "Stretch": "拉伸",
    "Fill the rectangle exactly, whatever the picture's aspect": "不顾图片比例，正好填满矩形",
    "Flip": "翻转",
    "Rotation": "旋转",
    "Degrees by which it is turned clockwise about its middle": "绕其中心顺时针旋转的度数",
    "How much of what is behind it shows: 1 nothing, 0 as if it were not there": (
        "背后的内容透出多少：1 完全不透出，0 如同不存在"
    ),
    "Mirror it left to right": "左右镜像",
    "Words": "描述",
    "What shall be there, in a few words": "用几个词说明那里应有什么",
    "What it is, in a few words; they join the prompt": "用几个词说明它是什么；会加入提示词",
    "Fidelity": "保真度",
    "0: the model only sees it, and its pose may change. 1: its look, place and pose are kept": (
        "0：模型只是看到它，姿势可以改变。1：保持外观、位置和姿势"
    ),
    "Variation": "变化",
    "How freely its pose and details may change": "姿势与细节可以变化的程度",
    "Sharing": "共享",
    "How strongly the finishing steps look at it: 0 not at all, 1 is usual": (
        "收尾步骤参考它的强度：0 不参考，1 为常用值"
    ),
    "Visible": "可见",
    "Whether it is in the picture": "是否出现在画面中",
    "Locked": "锁定",
    "Whether the pointer leaves it alone": "指针是否忽略它",
    "Object": "物体",
    "The 3D object whose place in the camera the rectangle follows": "矩形跟随此物体在相机中的位置",
    "Collection": "集合",
    "The collection whose place in the camera the rectangle follows": "矩形跟随此集合在相机中的位置",
    "Hidden by the Scene": "被场景遮挡",
    "Whether objects in front of the bound one cut away what they hide": (
        "位于绑定物体前方的物体是否裁掉被遮挡的部分"
    ),
    "Distance": "距离",
    "How far the bound object is from the camera": "绑定物体与相机的距离",
    "Active Subject": "活动主体",
    "Subjects": "主体",
    # scene
    "Scene": "场景",
    "What the subjects stand in": "主体所处的场景",
    "None": "无",
    "The whole picture is generated around the subjects": "围绕主体生成整张画面",
    "Compose into the picture chosen here": "合成到此处选定的图片中",
    "Fresh Render": "重新渲染",
    "Render the scene without the bound objects, each time anew": "每次都重新渲染不含绑定物体的场景",
    "Viewport": "视图",
    "Take what the 3D view shows through the camera, each time anew": "每次都截取 3D 视图中相机所见",
    "Render Result": "渲染结果",
    "Take the last render that you made (F12)": "使用您最近一次的渲染（F12）",
    "Scene Picture": "场景图片",
    "Depth and Normals": "深度与法线",
    "Take them with each fresh render that is taken: images, as exact as the picture": (
        "每次获取新渲染时一并获取：以图像保存，与画面逐像素对齐"
    ),
    "Depth": "深度",
    "How far each pixel of the scene is from the camera, along its axis": (
        "场景的每个像素沿相机轴向离相机多远"
    ),
    "Normals": "法线",
    "Which way each pixel of the scene faces: right, up, towards the camera": (
        "场景的每个像素朝向何方：右、上、朝向相机"
    ),
    "Use Scene": "跟随三维场景",
    "Let the picture follow the depth or normals of the 3D scene, rendered anew each time": (
        "让画面跟随三维场景的深度或法线，每次重新渲染"
    ),
    "Off": "关",
    "The picture follows the prompt and the subjects alone": "画面只跟随提示词和主体",
    "The picture follows how far the scene is from the camera": "画面跟随场景离相机的远近",
    "The picture follows which way the scene faces": "画面跟随场景表面的朝向",
    "The picture follows both, where the model takes both": "画面同时跟随两者（若模型支持）",
    "Control Strength": "控制强度",
    "Strength": "强度",
    "How strongly the picture follows the scene's depth and normals": (
        "画面跟随场景深度与法线的强度"
    ),
    "Until": "直到",
    "The share of the steps after which the picture is free of them": (
        "在这一比例的步数之后，画面不再受其约束"
    ),
    "Control Picture": "控制图",
    "Control Pictures": "控制图",
    "The picture shows how far things are, how they face, their lines or a pose": (
        "此图显示物体的远近、朝向、线条或姿势"
    ),
    "Lines": "线条",
    "Pose": "姿势",
    "The picture that the subjects are composed into": "主体将被合成到其中的图片",
    "Kept": "保留",
    "White where the scene's pixels stay as they are. Empty: all of them": (
        "场景像素保持不变之处为白色。留空则全部保留"
    ),
    "Part of the Canvas": "仅画布的一部分",
    "The scene fills a part of the canvas; around it the picture is continued": (
        "场景只占画布的一部分；其周围的画面会被延展"
    ),
    "Scene X": "场景 X",
    "Scene Y": "场景 Y",
    "The scene's left edge in pixels": "场景的左边缘（像素）",
    "The scene's upper edge in pixels": "场景的上边缘（像素）",
    "Scene Width": "场景宽度",
    "Scene Height": "场景高度",
    "The scene's width in pixels": "场景的宽度（像素）",
    "The scene's height in pixels": "场景的高度（像素）",
    "Scene Fit": "场景适配",
    "How the scene fills its part": "场景如何填充它的部分",
    "Scene Fidelity": "场景保真度",
    "How strongly the scene leads what is generated in it": "场景对其中生成内容的引导强度",
    "Blend": "融合",
    "How far around each subject the scene may change too, for its shadow and light: a"
    " share of the canvas' shorter side": (
        "每个主体周围场景也允许改变的范围，用于阴影与光照：画布短边的份额"
    ),
    "Feather": "羽化",
    "How far the border of what is kept is softened: a share of the canvas' shorter side": (
        "保留区域边界柔化的范围：画布短边的份额"
    ),
    "Negative": "反向提示",
    "What the picture shall not show, for models that are guided away from it": (
        "画面不应出现的内容，用于支持反向引导的模型"
    ),
    "Light": "光照",
    "Whose light falls on it: 0 its own picture's, 1 the scene's": (
        "光照来自何处：0 为其自身图片，1 为场景"
    ),
    "Open Scene Picture": "打开场景图片",
    "Choose the picture that the subjects are composed into": "选择主体将被合成到其中的图片",
    "Take Scene Now": "立即获取场景",
    "Take the scene's picture now, to see what the subjects are composed into": (
        "立即获取场景的图片，查看主体将被合成到什么之中"
    ),
    "Kept from Object": "由物体决定保留",
    "Say by 3D what of the scene stays: repaint where the selected objects are seen, or keep only"
    " them": "用 3D 物体指定场景中保留的部分：重绘可见的选中物体处，或只保留它们",
    "Keep": "保留方式",
    "What of the scene stays": "场景中保留的部分",
    "Repaint Them": "重绘它们",
    "Everything stays except where the objects are seen": "除物体可见之处外全部保留",
    "Keep Them": "保留它们",
    "Only the objects stay; the rest is generated": "只保留物体；其余部分重新生成",
    "Take this collection instead of the selected objects": "使用此集合代替选中的物体",
    "Keep the Whole Scene": "保留整个场景",
    "Drop the mask of what is kept": "去掉保留遮罩",
    "Enlarge Camera Frame": "扩大相机画框",
    "Widen the frame and keep the scene's picture where it is: the new border is generated": (
        "扩大画框而场景图片位置不变：新的边缘将被生成"
    ),
    "Left": "左",
    "Right": "右",
    "Top": "上",
    "Bottom": "下",
    "More pixels to the left": "向左增加的像素",
    "More pixels to the right": "向右增加的像素",
    "More pixels above": "向上增加的像素",
    "More pixels below": "向下增加的像素",
    "Fit Render to Canvas": "渲染尺寸匹配画布",
    "Give the render the canvas' size, so that the camera frame is the canvas": (
        "让渲染采用画布的尺寸，使相机画框就是画布"
    ),
    # canvas and sampling
    "From Render Size": "画布取自渲染尺寸",
    "Make the picture as large as the render, in whole cells of the model": (
        "画面与渲染同样大小，取模型的整数单元"
    ),
    "Longest Side": "最长边",
    "Larger renders are composed smaller: at most so many pixels a side": (
        "更大的渲染会缩小后合成：每边最多这么多像素"
    ),
    "The width of the picture in pixels": "画面宽度（像素）",
    "The height of the picture in pixels": "画面高度（像素）",
    "Prompt": "提示词",
    "What the whole picture shows, in your own words": "用您自己的话描述整张画面",
    "Model": "模型",
    "The model that makes the picture: a name, a folder or a hub id": (
        "生成画面的模型：名称、文件夹或模型库编号"
    ),
    "Steps": "步数",
    "In how many steps the picture is made; 0 leaves it to the model": (
        "生成画面的步数；0 表示由模型决定"
    ),
    "Own Guidance": "自定引导",
    "Set the guidance instead of leaving it to the model": "自行设定引导强度，而不由模型决定",
    "Guidance": "引导",
    "How closely the picture follows the words": "画面遵循文字的程度",
    "LoRA": "LoRA",
    "A .safetensors file, its folder, or a hub id": ".safetensors 文件、其所在文件夹或 hub 名称",
    "Weight": "权重",
    "How much it counts: 1 as it was trained, 0 not at all, less turns it around": (
        "作用程度：1 为训练时的强度，0 为不起作用，更小则反向作用"
    ),
    "Seed": "种子",
    "Another seed gives another picture of the same": "换一个种子会得到同一内容的另一张画面",
    "Pictures": "张数",
    "How many pictures are made, each with the next seed": "生成多少张画面，种子依次递增",
    # view
    "Rectangles": "矩形",
    "Draw the subjects in views through the camera": "在相机视图中绘制主体",
    "Cells": "单元",
    "Tint the cells that each subject owns, as the model sees them": "按模型所见，为各主体占有的单元着色",
    "Preview": "预览",
    "Draw the picture in the camera frame while it is being made": "生成过程中在相机画框内绘制画面",
    "Show Results In": "结果显示于",
    "Where a finished picture appears": "完成的画面显示在哪里",
    "Image Editor": "图像编辑器",
    "Show it in an open Image Editor": "在已打开的图像编辑器中显示",
    "Camera Background": "相机背景",
    "Show it behind the scene, through the camera": "透过相机显示在场景背后",
    "Plane": "平面",
    "Stand it before the camera as an image that no render shows": (
        "作为不会被渲染的图像立在相机前"
    ),
    "Camera Frame": "相机画框",
    "Draw it in the camera frame of 3D views, in front of everything": (
        "绘制在 3D 视图的相机画框中，位于一切之前"
    ),
    "Result": "结果",
    "Draw the active result in the camera frame, in front of everything": (
        "在相机画框中绘制活动结果，位于一切之前"
    ),
    "Wipe": "划像",
    "How much of the result is drawn, from the left: to compare it with the scene": (
        "从左起绘制多少结果：用于与场景对比"
    ),
    "Opacity": "不透明度",
    "How solid the result is drawn": "结果绘制的不透明程度",
    "Nowhere": "不显示",
    "Only keep it in the list": "只保留在列表中",
    "Folder": "文件夹",
    "Where the pictures of a range are written, one file per frame": "帧范围图片的写入位置，每帧一个文件",
}
