// A job type of Flamenco: composes numbered Standee documents, one task each, by a daemon that keeps the model loaded.
// Put it into the manager's `scripts` folder. Workers need `standee` on their path and the file of `standee pair`.

const JOB_TYPE = {
    label: "Standee: compose frames",
    settings: [
        { key: "frames", type: "string", required: true, default: "1-10", description: "Frame range, such as 1-10 or 3,5,8" },
        { key: "document", type: "string", required: true, description: "Document of each frame, #### standing for its number" },
        { key: "output", type: "string", required: true, description: "Picture of each frame, #### standing for its number" },
        { key: "connection", type: "string", required: true, description: "File that `standee pair` wrote" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    const numbers = frameChunker(settings.frames, 1);
    for (const number of numbers) {
        const task = author.Task(`frame ${number}`, "misc");
        task.addCommand(author.Command("exec", {
            exe: "standee",
            args: [
                "compose", numbered(settings.document, number),
                "-o", numbered(settings.output, number),
                "--connection", settings.connection,
                "--quiet",
            ],
        }));
        job.addTask(task);
    }
}

function numbered(path, number) {
    return path.replace(/#+/, (marks) => String(number).padStart(marks.length, "0"));
}
