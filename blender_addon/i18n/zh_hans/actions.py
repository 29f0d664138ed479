"""Chinese for operators and panels, with their tooltips."""

ACTIONS: dict[str, str] = {
    # downloads
    "Download": "下载",
    "Bring what is not on the daemon's machine from the hub; you accept its licence": (
        "从模型库下载守护进程所在计算机没有的内容；您接受其许可证"
    ),
    "Not on the daemon's machine: {names}.": "守护进程所在的计算机没有：{names}。",
    "Its licence: {licences}.": "许可证：{licences}。",
    "It has to be accepted first: {page}": "需先接受许可证：{page}",
    "not named": "未注明",
    # LoRAs
    "LoRAs": "LoRA 列表",
    "Add LoRA": "添加 LoRA",
    "Lay another LoRA over the model, for a style or a thing that it does not know": (
        "为模型再叠加一个 LoRA，用于它不了解的风格或事物"
    ),
    "A composition has at most eight LoRAs": "一个构图最多有八个 LoRA",
    "Remove LoRA": "移除 LoRA",
    "Take this LoRA out of the list": "将此 LoRA 从列表中移除",
    "Its place in the list": "它在列表中的位置",
    # operators on layers
    "Remove Subject": "移除主体",
    "Take the active subject out of the composition": "从构图中移除活动主体",
    "Duplicate Subject": "复制主体",
    "Add a copy of the active subject in front of all others, a little aside": (
        "在最前面添加活动主体的副本，略微错开"
    ),
    "Move Subject": "移动主体",
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
    "Select Subject": "选择主体",
    "Make a subject the active one": "将某个主体设为活动主体",
    "Index": "序号",
    "Its place, counted from the back": "从后往前数的位置",
    "Fit Rectangle to Picture": "矩形适配图片",
    "Shrink the rectangle to the aspect of its picture": "将矩形收缩到图片的比例",
    "Insert Keyframe": "插入关键帧",
    "Key the rectangle and the strengths of the active subject at this frame": (
        "在当前帧为活动主体的矩形与强度插入关键帧"
    ),
    "Center on Canvas": "画布居中",
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
    "Add Rectangle of Words": "添加文字矩形",
    "Add a rectangle in which shall be what its words say, without a picture of it": (
        "添加一个矩形：其中应出现文字所描述的内容，无需图片"
    ),
    "Say in words what shall be there.": "请用文字说明那里应有什么。",
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
    "Rotate": "旋转",
    "The active subject about its middle, until a click; Ctrl by steps": (
        "活动主体绕其中心旋转，直到点击为止；按住 Ctrl 逐级旋转"
    ),
    "Point at Subject": "指向主体",
    "Light up the subject under the pointer": "高亮指针下的主体",
    "Nudge": "微移",
    "Move the active subject by pixels of the canvas": "按画布像素移动活动主体",
    "Pixels to the right": "向右的像素数",
    "Pixels down": "向下的像素数",
    "Stand Subjects": "站立主体",
    # composing
    "Compose": "合成",
    "Sampling": "采样",
    "Tick": "推进",
    "Move what is under way on by a little; the timer of Standee calls it": (
        "将进行中的工作推进一点；由 Standee 的计时器调用"
    ),
    "Edit Prompt": "编辑提示词",
    "Write the prompt, and the words of each subject, in a wide window": (
        "在宽窗口中书写提示词以及每个主体的描述"
    ),
    "Placement": "放置",
    "Follow in 3D": "在 3D 中跟随",
    "What Stays": "保留部分",
    "Canvas": "画布",
    "Make the picture: subjects in their rectangles, in the scene, as prompted": (
        "生成画面：主体在各自的矩形内，处于场景中，符合提示词"
    ),
    "Cancel": "取消",
    "Stop a job within one step": "在一步之内停止任务",
    "Job": "任务",
    "Which one; empty stops all of them": "哪一个；留空则全部停止",
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
    "Show in Frame": "在画框中显示",
    "Draw the newest take of the range in the camera frame, each picture at its own time, and hide it"
    " again: play the animation to see it move": (
        "在相机画框中绘制帧范围的最新一次结果，每张图片在各自的时间显示，再按一次隐藏：播放动画即可观看"
    ),
    "Range in Frame": "画框中的帧范围",
    "Whether the newest take of the range is drawn in the camera frame": (
        "是否在相机画框中绘制帧范围的最新一次结果"
    ),
    "Stop Range": "停止帧范围",
    "Stop; the finished frames stay, and composing again goes on from there": (
        "停止；已完成的帧会保留，再次合成时从那里继续"
    ),
    "Add to Sequencer": "添加到序列编辑器",
    "Put the composed frames into the sequencer of a new scene, each at its own time; the"
    " renders of this scene stay as they are": (
        "将合成的帧放入新场景的序列编辑器，各在其时间；此场景的渲染不变"
    ),
    # results
    "Results": "结果",
    "Active Result": "活动结果",
    "Show Result": "显示结果",
    "Show the active result in the camera frame, an Image Editor or in the scene": (
        "在相机画框、图像编辑器或场景中显示活动结果"
    ),
    "Where": "位置",
    "Where it appears": "它显示在哪里",
    "Go On from Result": "从结果继续",
    "Make the active result the scene, and hide the subjects that are in it now, to add others": (
        "将活动结果作为场景，并隐藏其中已有的主体，以便添加其他主体"
    ),
    "Discard Result": "丢弃结果",
    "Remove the active result and its picture": "移除活动结果及其图片",
    "Recall Composition": "恢复构图",
    "Bring back the subjects, prompt and settings that the active result was made of": (
        "恢复生成活动结果时的主体、提示词与设置"
    ),
    "Save Result": "保存结果",
    "Write the active result to a PNG file, with its receipt": ("将活动结果原样写入 PNG 文件"),
    # cut-outs
    "Cut Out": "抠图",
    "Have the daemon cut the active subject out of its picture: what its words say it is, or all"
    " but the background": ("让守护进程从图片中抠出活动主体：按描述查找，或去除背景"),
    "By Words": "按描述",
    "What the subject's words say; a model finds it": "主体描述所指之物；由模型查找",
    "Whole Picture": "整张图片",
    "What fills the picture, without its background": "占满图片的主体，不含背景",
    "By": "方式",
    "How the subject is found in its picture": "如何在图片中查找主体",
    "Cut Out Here": "在此抠图",
    "Click on the active subject in the camera frame, or drag a box around it: the daemon cuts it"
    " out of its picture there": (
        "在相机画框中点击活动主体，或围绕它拖出方框：守护进程在该处从图片中抠出主体"
    ),
    "Begins": "起点",
    "Where it begins, in px of the canvas": "起始位置，以画布像素计",
    "Ends": "终点",
    "Where it ends, in px of the canvas": "结束位置，以画布像素计",
    "Click on the subject, or drag a box around it": "点击主体，或围绕它拖出方框",
    "Paint Cut-out": "绘制抠图",
    "Make an image of the active subject's present cut-out, white where the subject is, and open it"
    " for painting in an Image Editor": (
        "将活动主体当前的抠图变为图像，主体处为白色，并在图像编辑器中打开以供绘制"
    ),
    "Open it in an Image Editor to paint: white is the subject.": (
        "在图像编辑器中打开它进行绘制：白色为主体。"
    ),
    "Click or Box": "点击或框选",
    "Cut Out by Strokes": "按笔画抠图",
    "Take what Grease Pencil strokes enclose in the camera frame as the active subject's cut-out:"
    " those of the selected drawings, or of all that are shown": (
        "将蜡笔笔画在相机画框中围住的部分作为活动主体的抠图：取选中的绘图，未选中时取所有可见的绘图"
    ),
    "How": "方式",
    "What becomes of the cut-out there is": "如何处理现有抠图",
    "New": "新建",
    "What they enclose is the cut-out": "围住的部分就是抠图",
    "Add": "添加",
    "What they enclose belongs to the subject, too": "围住的部分也属于主体",
    "Subtract": "减去",
    "What they enclose does not belong to the subject": "围住的部分不属于主体",
    "Hide Strokes": "隐藏笔画",
    "Disable the drawings in renders: they are no part of the scene": (
        "在渲染中禁用这些绘图：它们不属于场景"
    ),
    "Draw around it with Grease Pencil first": "请先用蜡笔在其周围绘制",
    "Drawn": "手绘",
    "Kept from Strokes": "由笔画决定保留",
    "Say with Grease Pencil what of the scene stays: repaint what the strokes enclose in the camera"
    " frame, or keep only that": "用蜡笔指定场景中保留的部分：重绘笔画在相机画框中围住的部分，或只保留它",
    "Repaint It": "重绘",
    "Everything stays except what they enclose": "除围住的部分外全部保留",
    "Keep It": "保留",
    "Only what they enclose stays; the rest is generated": "只保留围住的部分；其余部分重新生成",
    "Repaint Drawn": "重绘手绘区域",
    "Keep Drawn": "保留手绘区域",
    "Paint": "绘制",
    # standees
    "Stand in 3D": "立于 3D 场景",
    "Make an object of the active subject: a card on the ground, just where the camera sees it,"
    " which faces the camera and casts its shadow. The subject follows it": (
        "将活动主体变为物体：立于地面的卡片，位置与相机所见一致，朝向相机并投下阴影。主体随之移动"
    ),
    "Upright": "直立",
    "Turn with the camera about the vertical only; off: be parallel to the picture": (
        "仅绕垂直轴随相机转动；关闭时与画面平行"
    ),
    "The camera sees no ground under it: it hovers as far away as the 3D cursor.": (
        "相机在其下方看不到地面：它悬浮在与 3D 游标同样远处。"
    ),
    "{view} cannot show all of its colours: renders have them up to {off} of 255 off."
    " The view transform Standard shows them all.": (
        "{view} 无法显示它的全部颜色：渲染中的偏差最多为 255 级中的 {off} 级。查看变换“标准”可以全部显示。"
    ),
    "Add Cards as Subjects": "将卡片添加为主体",
    "Make subjects of the selected cards and image empties: copies of a card, and what was dropped"
    " from the Outliner, the Asset Browser or another file. An empty goes, its image stays": (
        "将选中的卡片和图像空物体变为主体：卡片的副本，以及从大纲视图、资产浏览器或其他文件拖入的内容。空物体会移除，其图像保留"
    ),
    "Select cards that no subject follows yet, or image empties": (
        "请选择尚无主体跟随的卡片，或图像空物体"
    ),
    "Add Selected as Subjects": "将选中项添加为主体",
    "Add as Subjects": "添加为主体",
    "Make subjects of what is selected in the Outliner: images, cards, image empties, and other objects"
    " as pictures of them": "将大纲视图中选中的内容变为主体：图像、卡片、图像空物体，以及其他物体的图片",
    "Select images or objects in the Outliner": "请在大纲视图中选择图像或物体",
    "Add as Subject": "添加为主体",
    "Make a subject of an asset: a card, an image, or another object as a picture of it": (
        "将资产变为主体：卡片、图像，或其他物体的图片"
    ),
    "File": "文件",
    "The .blend file that has it; empty for this one": "包含它的 .blend 文件；留空表示当前文件",
    "An object": "物体",
    "An image": "图像",
    "What the asset is": "资产的类型",
    "What the asset is called": "资产的名称",
    "The active subject follows something already": "活动主体已在跟随某物",
    "The active subject has no picture": "活动主体没有图片",
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
    "Set sampling, LoRAs, and the strengths of all subjects, as the preset says": (
        "按预设设定采样、LoRA 以及所有主体的强度"
    ),
    "Save Preset": "保存预设",
    "Keep the present sampling and LoRAs, and the active subject's strengths, under a name": (
        "将当前采样、LoRA 与活动主体的强度存为预设"
    ),
    "Remove Preset": "移除预设",
    "Delete one of your own presets": "删除您自己的某个预设",
    "The preset's name": "预设的名称",
    # scripts and batches
    "Wait": "等待",
    "Return only when it is done; for scripts, and for Blender without a window": (
        "完成后才返回；用于脚本和无窗口的 Blender"
    ),
    "Return only when all that is being composed is done and kept; for scripts": (
        "所有合成完成并保存后才返回；用于脚本"
    ),
    "Compose Batch": "批量合成",
    "Compose once for each camera that a timeline marker names, each view layer and each of"
    " several seeds; every picture is a result": (
        "对时间线标记所指的每台相机、每个视图层和若干种子各合成一次；每张画面都是一个结果"
    ),
    "Marker Cameras": "标记相机",
    "Compose at each timeline marker that a camera is bound to": (
        "在每个绑定了相机的时间线标记处合成"
    ),
    "View Layers": "视图层",
    "Compose each view layer that is used for rendering": "合成每个用于渲染的视图层",
    "Seeds": "种子数",
    "How many seeds to compose with, counted up from the scene's": (
        "用多少个种子合成，从场景的种子起递增"
    ),
    # first steps
    "Look Through Camera": "透过相机观看",
    "Show the view through the scene's camera, whose frame is the canvas. Without a camera, add"
    " one that sees what the view shows now": (
        "透过场景相机显示视图，其画框即画布。没有相机时，添加一台与当前视图相同的相机"
    ),
    "Load Sample": "加载示例",
    "Bring three subjects and a scene into this file, ready to be composed": (
        "将三个主体和一个场景放入此文件，可直接合成"
    ),
    "Preferences of Standee": "Standee 偏好设置",
    "Say which daemon to use, and how to start it": "指定使用哪个守护进程以及如何启动它",
}
