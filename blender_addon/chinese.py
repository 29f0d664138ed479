"""Every word of the interface in Simplified Chinese."""

CHINESE: dict[str, str] = {
    # preferences
    "Connection File": "连接文件",
    "The file that the daemon wrote or that `standee pair` made. Empty: your own daemon": (
        "守护进程写出的文件，或由 `standee pair` 生成的文件。留空则使用您自己的守护进程"
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
    "Layers": "图层",
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
    "Mirror it left to right": "左右镜像",
    "Words": "描述",
    "What it is, in a few words; they join the prompt": "用几个词说明它是什么；会加入提示词",
    "Fidelity": "保真度",
    "How faithfully it is kept: 0 only loosely, 1 as it is in the picture": (
        "保留的忠实程度：0 大致相似，1 与图片一致"
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
    "Active Layer": "活动图层",
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
    "The picture that the subjects are composed into": "主体将被合成到其中的图片",
    "Kept": "保留",
    "White where the scene's pixels stay as they are. Empty: all of them": (
        "场景像素保持不变之处为白色。留空则全部保留"
    ),
    "Only a Part of the Canvas": "仅画布的一部分",
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
    "Pixels around each subject that may change too, for its shadow and light": (
        "每个主体周围也允许改变的像素，用于阴影与光照"
    ),
    "Feather": "羽化",
    "Pixels over which the border of what is kept is softened": "保留区域边界柔化的像素数",
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
    "Canvas from Render Size": "画布取自渲染尺寸",
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
    "Show it on a plane that fills the camera's view": "显示在充满相机视野的平面上",
    "Nowhere": "不显示",
    "Only keep it in the list": "只保留在列表中",
    "Folder": "文件夹",
    "Where the pictures of a range are written, one file per frame": "帧范围图片的写入位置，每帧一个文件",
    # operators on layers
    "Remove Layer": "移除图层",
    "Take the active subject out of the composition": "从构图中移除活动主体",
    "Duplicate Layer": "复制图层",
    "Add a copy of the active subject in front of all others, a little aside": (
        "在最前面添加活动主体的副本，略微错开"
    ),
    "Move Layer": "移动图层",
    "Bring the active subject one place to the front or to the back": "将活动主体前移或后移一位",
    "Direction": "方向",
    "Where the subject goes": "主体移动的去向",
    "Forward": "前移",
    "Backward": "后移",
    "To the Front": "移到最前",
    "To the Back": "移到最后",
    "In front of the next one": "移到下一个之前",
    "Behind the one before": "移到上一个之后",
    "In front of all others": "移到所有主体之前",
    "Behind all others": "移到所有主体之后",
    "Select Layer": "选择图层",
    "Make a subject the active one": "将某个主体设为活动主体",
    "Index": "序号",
    "Its place, counted from the back": "从后往前数的位置",
    "Fit Rectangle to Picture": "矩形适配图片",
    "Shrink the rectangle to the aspect of its picture": "将矩形收缩到图片的比例",
    "Insert Keyframe": "插入关键帧",
    "Key the rectangle and the strengths of the active subject at this frame": (
        "在当前帧为活动主体的矩形与强度插入关键帧"
    ),
    "Centre on Canvas": "画布居中",
    "Bring the active subject back into the middle of the camera frame": (
        "将活动主体移回相机画框的中央"
    ),
    "Add Subject": "添加主体",
    "Add Subjects": "添加主体",
    "Add a subject from a file, the clipboard, an image or an object": (
        "从文件、剪贴板、图像或物体添加主体"
    ),
    "Add picture files as subjects; transparent backgrounds are cut out": (
        "将图片文件添加为主体；透明背景会被抠除"
    ),
    "Add Image as Subject": "将图像添加为主体",
    "Add an image that is in this file already as a subject": "将此文件中已有的图像添加为主体",
    "Image": "图像",
    "The name of the image": "图像的名称",
    "Paste Subject": "粘贴主体",
    "Add the picture of the clipboard, or the file whose path is in it, as a subject": (
        "将剪贴板中的图片，或其中路径所指的文件，添加为主体"
    ),
    "Add Object as Subject": "将物体添加为主体",
    "Render the selected objects alone, with a transparent background, and stand the picture"
    " where they are in the camera": "以透明背景单独渲染选中物体，并将图片立于它们在相机中的位置",
    "Detail": "细节",
    "Pixels of the picture for each of the canvas": "每个画布像素对应的图片像素数",
    "Bind": "绑定",
    "Have the rectangle follow the active object": "让矩形跟随活动物体",
    "Bind to Object": "绑定到物体",
    "Have the active subject stand where the active object is in the camera, before and behind"
    " others as it is": "让活动主体立于活动物体在相机中的位置，前后关系与其一致",
    "Follow the whole collection of the active object": "跟随活动物体所在的整个集合",
    "Unbind": "解除绑定",
    "Leave the subject where it is now, cut as it is now, and follow no more": (
        "主体停在当前位置，保持当前裁切，不再跟随"
    ),
    "Arrange Subjects": "排布主体",
    "Drag the subject under the pointer, or a handle of the selected one. Shift keeps the aspect,"
    " Ctrl snaps to the cells": "拖动指针下的主体或选中主体的控制柄。Shift 保持比例，Ctrl 吸附到单元",
    "Kind": "类型",
    "What is moved, and how": "移动什么以及如何移动",
    "Drag": "拖动",
    "Move": "移动",
    "Scale": "缩放",
    "What is under the pointer: a subject or a handle": "指针下的对象：主体或控制柄",
    "The active subject, until a click": "活动主体，直到点击为止",
    "The active subject about its middle, until a click": "活动主体绕其中心缩放，直到点击为止",
    "Point at Subject": "指向主体",
    "Light up the subject under the pointer": "高亮指针下的主体",
    "Nudge": "微移",
    "Move the active subject by pixels of the canvas": "按画布像素移动活动主体",
    "Pixels to the right": "向右的像素数",
    "Pixels down": "向下的像素数",
    "Stand Subjects": "站立主体",
    # composing
    "Compose": "合成",
    "Make the picture: subjects in their rectangles, in the scene, as prompted": (
        "生成画面：主体在各自的矩形内，处于场景中，符合提示词"
    ),
    "Cancel": "取消",
    "Stop a job within one step": "在一步之内停止任务",
    "Job": "任务",
    "Which one; empty stops all of them": "哪一个；留空则全部停止",
    "Connect": "连接",
    "Look for the daemon; start it if the preferences say so": "寻找守护进程；若偏好设置允许则启动它",
    "Dismiss": "关闭提示",
    "Clear the message and the list of finished jobs": "清除消息与已结束的任务列表",
    # animation
    "Animation": "动画",
    "Marker": "标记",
    "The timeline marker where this prompt begins": "此提示词开始生效的时间线标记",
    "What the picture shows from there on": "从该处起画面的内容",
    "What the picture shows from here on": "从此处起画面的内容",
    "Prompts": "提示词",
    "Active Prompt": "活动提示词",
    "Change Prompt Here": "在此更换提示词",
    "Add a timeline marker at this frame, from which another prompt holds": (
        "在当前帧添加时间线标记，从该处起使用另一提示词"
    ),
    "Remove Prompt": "移除提示词",
    "Remove the active prompt; its marker stays": "移除活动提示词；标记保留",
    "Compose Range": "合成帧范围",
    "Compose each frame of the scene's range with the same noise. Frames that are done and"
    " unchanged are left out, so it goes on where it was stopped": (
        "以相同的噪声合成场景范围内的每一帧。已完成且未改变的帧会被跳过，因此可从停止处继续"
    ),
    "Stop Range": "停止帧范围",
    "Stop; the finished frames stay, and composing again goes on from there": (
        "停止；已完成的帧会保留，再次合成时从那里继续"
    ),
    "Add to Sequencer": "添加到序列编辑器",
    "Put the composed frames into the sequencer as one image strip": (
        "将合成的帧作为一个图像片段放入序列编辑器"
    ),
    # results
    "Results": "结果",
    "Active Result": "活动结果",
    "Show Result": "显示结果",
    "Show the active result in an Image Editor, behind the scene or on a plane": (
        "在图像编辑器中、场景背后或平面上显示活动结果"
    ),
    "Where": "位置",
    "Where it appears": "它显示在哪里",
    "Discard Result": "丢弃结果",
    "Remove the active result and its picture": "移除活动结果及其图片",
    "Recall Composition": "恢复构图",
    "Bring back the layers, prompt and settings that the active result was made of": (
        "恢复生成活动结果时的图层、提示词与设置"
    ),
    "Save Result": "保存结果",
    "Write the active result to a PNG file, exactly as it was made": (
        "将活动结果原样写入 PNG 文件"
    ),
    # documents and presets
    "Open Standee Document": "打开 Standee 文档",
    "Bring the composition and results of a .standee file into this scene": (
        "将 .standee 文件的构图与结果载入此场景"
    ),
    "Save Standee Document": "保存 Standee 文档",
    "Write the composition and results to a .standee file, for the desktop editor": (
        "将构图与结果写入 .standee 文件，供桌面编辑器使用"
    ),
    "Presets": "预设",
    "Settings under a name": "命名的设置",
    "Apply Preset": "应用预设",
    "Set sampling, and the strengths of all subjects, as the preset says": (
        "按预设设定采样以及所有主体的强度"
    ),
    "Save Preset": "保存预设",
    "Keep the present sampling, and the active subject's strengths, under a name": (
        "将当前采样与活动主体的强度存为预设"
    ),
    "Remove Preset": "移除预设",
    "Delete one of your own presets": "删除您自己的某个预设",
    "The preset's name": "预设的名称",
    # words on buttons
    "From Files": "从文件",
    "From Clipboard": "从剪贴板",
    "From Image": "从图像",
    "From Selected Object": "从选中物体",
    "Open": "打开",
    "Save": "保存",
    "Centre": "居中",
    "Key": "关键帧",
    "Enlarge": "扩大",
    "Background": "背景",
    # why something is greyed out
    "Add a subject first": "请先添加主体",
    "Add a subject or write a prompt first": "请先添加主体或写提示词",
    "The scene has no camera; its frame is the canvas": "场景没有相机；相机画框就是画布",
    "There is no result yet": "还没有结果",
    "The active layer has no picture": "活动图层没有图片",
    "The layer follows a 3D object; unbind it first": "该图层跟随 3D 物体；请先解除绑定",
    "There is no image in this file": "此文件中没有图像",
    "Select an object with a surface": "请选择一个有表面的物体",
    "Make an object with a surface the active one": "请将一个有表面的物体设为活动物体",
    "The active layer follows nothing": "活动图层没有跟随任何物体",
    "The scene does not come from a render or a view": "场景并非来自渲染或视图",
    "There is no scene of which anything could be kept": "没有可保留的场景",
    "Nothing masks the scene": "场景没有遮罩",
    "Nothing is being composed": "没有正在进行的合成",
    "No marker changes the prompt": "没有标记更换提示词",
    "A range is being composed already": "已有帧范围正在合成",
    "No range is being composed": "没有正在合成的帧范围",
    "Look through the camera, with the rectangles shown": "请进入相机视图并显示矩形",
}
