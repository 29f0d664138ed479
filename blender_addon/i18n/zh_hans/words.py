"""Chinese for buttons, job states, job notes, and why an action is greyed out."""

WORDS: dict[str, str] = {
    # words on buttons
    "From Files": "从文件",
    "From Clipboard": "从剪贴板",
    "Rectangle of Words": "文字矩形",
    "From Image": "从图像",
    "From Selected Object": "从选中物体",
    "From Selected Cards": "从选中卡片",
    "Open": "打开",
    "Save": "保存",
    "Center": "居中",
    "In Frame": "画框内",
    "Key": "关键帧",
    "Enlarge": "扩大",
    "Background": "背景",
    "Repaint Selected": "重绘选中物体",
    "Keep Selected": "保留选中物体",
    "{width} x {height} px": "{width} x {height} 像素",
    "The render has {width} x {height} px": "渲染为 {width} x {height} 像素",
    "What the picture shows": "画面的内容",
    "What it is, in a few words": "用几个词说明它是什么",
    "Add pictures of what shall stand in the scene.": "添加要放入场景的图片。",
    "behind the camera": "在相机背后",
    "Composing renders the scene first; Blender does not answer meanwhile.": (
        "合成前会先渲染场景；此时 Blender 没有响应。"
    ),
    "Composing renders the scene first; Blender does not answer meanwhile (last time {seconds:.1f} s).": (
        "合成前会先渲染场景；此时 Blender 没有响应（上次 {seconds:.1f} 秒）。"
    ),
    # how a job stands
    "Waiting": "等待中",
    "Waiting, {count} before it": "等待中，前面还有 {count} 个",
    "Waiting for the daemon": "等待守护进程",
    "Looking at the scene": "正在查看场景",
    "Rendering the scene": "正在渲染场景",
    "Sending the pictures": "正在发送图片",
    "Looking at the memory": "正在估算显存",
    "Downloading the model": "正在下载模型",
    "Checking the download": "正在校验下载内容",
    "Loading the model": "正在加载模型",
    "Reading the words": "正在读取文字",
    "Reading subject": "正在读取主体",
    "Composing": "正在合成",
    "Finishing": "即将完成",
    "Cutting out": "正在抠图",
    ", {seconds} s left": "，剩余 {seconds} 秒",
    "Done": "完成",
    "Cancelled": "已取消",
    # how a job was fitted into the memory
    "“{name}” is not in the picture: {why}.": "“{name}”不在画面中：{why}。",
    "The model reads {limit} tokens; what follows in “{start}…” was cut off.": (
        "模型只读取 {limit} 个词元；“{start}…”之后的内容已被截去。"
    ),
    (
        "The scene of {width} x {height} px is drawn in {across} x {down} px; what is kept of it is"
        " kept as drawn."
    ): "{width} x {height} 像素的场景以 {across} x {down} 像素绘制；保留的部分按绘制后的像素保留。",
    "{model} is the copy that was downloaded earlier (commit {commit}).": (
        "{model} 使用的是之前下载的副本（提交 {commit}）。"
    ),
    "Of the LoRA {file} {count} layers were left out: {part}.": (
        "LoRA {file} 有 {count} 层未能加载：{part}。"
    ),
    "The LoRA {file} does not say how strong it is; set its weight by eye.": (
        "LoRA {file} 没有说明其强度；请凭效果设置权重。"
    ),
    "its cut-out is empty": "其抠图为空",
    "it lies off the canvas": "它在画布之外",
    "others hide all of it": "它被其他主体完全遮住",
    "they change a text encoder that this model does not have": "它们修改的是此模型没有的文本编码器",
    "they change norms or embeddings, which LoRAs cannot be laid over here": (
        "它们修改的是归一化或嵌入，这里无法加载"
    ),
    "Memory: preset {preset}: {meaning}; about {need} of {room}.": (
        "内存：预设“{preset}”：{meaning}；约需 {need}，可用 {room}。"
    ),
    "Too little memory with preset {failed}; going on with preset {preset}: {meaning}.": (
        "预设“{failed}”内存不足；改用预设“{preset}”继续：{meaning}。"
    ),
    "weights in {size}, text encoder in {text}, {kept}": "权重 {size}，文本编码器 {text}，{kept}",
    "weights in {size}, {kept}": "权重 {size}，{kept}",
    "32 bits": "32 位",
    "16 bits": "16 位",
    "8 bits": "8 位",
    "8 bits (fp8)": "8 位（fp8）",
    "8 bits (int8)": "8 位（int8）",
    "4 bits": "4 位",
    "all of it on the device": "全部在设备上",
    "text encoders only while they encode": "文本编码器仅在编码时在设备上",
    "one model on the device at a time": "设备上一次只放一个模型",
    "one block on the device at a time": "设备上一次只放一个块",
    "Looking at frame {at} of {all}": "正在查看第 {at} 帧，共 {all} 帧",
    "Frames {frames}: ": "第 {frames} 帧：",
    "{done} of {all} frames": "{all} 帧中已完成 {done} 帧",
    " (stopped)": "（已停止）",
    "No daemon answers.": "没有守护进程应答。",
    "Your job goes on when one does.": "守护进程恢复后，您的任务会继续。",
    "Your {count} jobs go on when one does.": "守护进程恢复后，您的 {count} 个任务会继续。",
    "Start it with `standee serve`, or name it in the preferences of Standee.": (
        "请用 `standee serve` 启动它，或在 Standee 的偏好设置中指定"
    ),
    "'{name}' follows a 3D object; unbind it to move it.": (
        "“{name}”跟随 3D 物体；要移动它请先解除绑定。"
    ),
    "'{name}' is locked or hidden.": "“{name}”已锁定或隐藏。",
    # why something is greyed out
    "Add a subject first": "请先添加主体",
    "Add a subject or write a prompt first": "请先添加主体或写提示词",
    "The scene has no camera; its frame is the canvas": "场景没有相机；相机画框就是画布",
    "There is no result yet": "还没有结果",
    "The subject follows a 3D object; unbind it first": "该主体跟随 3D 物体；请先解除绑定",
    "There is no image in this file": "此文件中没有图像",
    "Select an object with a surface": "请选择一个有表面的物体",
    "Make an object with a surface the active one": "请将一个有表面的物体设为活动物体",
    "The active subject follows nothing": "活动主体没有跟随任何物体",
    "The scene does not come from a render or a view": "场景并非来自渲染或视图",
    "There is no scene of which anything could be kept": "没有可保留的场景",
    "Nothing masks the scene": "场景没有遮罩",
    "Nothing is being composed": "没有正在进行的合成",
    "No marker changes the prompt": "没有标记更换提示词",
    "A range is being composed already": "已有帧范围正在合成",
    "No range is being composed": "没有正在合成的帧范围",
    "Look through the camera, with the rectangles shown": "请进入相机视图并显示矩形",
    "The picture of this result is gone. Compose it anew.": "该结果的图片已不存在。请重新合成。",
    # what composing needs
    "The daemon is ready": "守护进程已就绪",
    "Looking for the daemon": "正在寻找守护进程",
    "The daemon is not asked yet": "尚未连接守护进程",
    "Look Again": "重新寻找",
    "Start": "启动",
    "Model {name}": "模型 {name}",
    "Model {name}: there": "模型 {name}：可用",
    "Model {name}: the daemon looks for it when you compose": ("模型 {name}：合成时由守护进程寻找"),
    "Subjects are placed and seen through the camera.": "主体透过相机放置和观看。",
    "This scene has subjects already; open a new file first": ("此场景已有主体；请先打开新文件"),
    "Handed in. The sidebar's Standee tab says how far it is.": (
        "已提交。进度见侧边栏的 Standee 标签页。"
    ),
    "Without a window nothing is made until you call it with wait=True, or wait().": (
        "没有窗口时，需以 wait=True 调用或调用 wait()，否则不会进行。"
    ),
    "The frames are in the scene '{name}'.": "这些帧在场景“{name}”中。",
    "Hidden in the viewport: keys, constraints and modifiers do not move the subject.": (
        "在视图中隐藏：关键帧、约束和修改器不会移动主体。"
    ),
}
