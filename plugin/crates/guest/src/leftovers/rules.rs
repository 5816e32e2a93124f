//! The rules of what a build leaves, with their pages.

use crate::rule::Rule;
use crate::system::Category;

/// All rules. Codes are never renamed and never mean something else.
pub const RULES: &[Rule] = &[
    Rule::new(
        "H001",
        "an account of a build stays in the image",
        "The account of this build is removed after sysprep. Another one with such a name is of an earlier build whose base
image was not clean: an administrator that nobody watches.",
        "remove the account in a step (`user` with `state: absent`)",
    ),
    Rule::new(
        "H002",
        "a profile of a build's account stays in the image",
        "The folder and its registry hive stay when only the account is deleted, with everything that it once held.",
        "remove the profile in a step, or begin with a clean base image",
    ),
    Rule::new(
        "H003",
        "a private key is in the image",
        "A certificate with its private key in the machine's store is the same in every machine made of the image: whoever has
one of them can pretend to be any other. Only the build's own certificate is removed by itself.",
        "remove the certificate in a step, and issue one on the clone",
    ),
    Rule::new(
        "H004",
        "an HTTPS listener of WinRM stays in the image",
        "A listener that the build did not open is not closed by it. With its certificate it is open on every clone.",
        "remove the listener in a step unless the image needs it",
    ),
    Rule::new(
        "H005",
        "a firewall rule of a build stays in the image",
        "The rule of this build is removed after sysprep; this one is of an earlier build and keeps a port open.",
        "remove it in a step (`firewall` with `state: absent`)",
    ),
    Rule::new(
        "H006",
        "WinRM lets in without protection",
        "Basic authentication sends the password as it is, and unencrypted requests can be read on the way.",
        "set Service/Auth/Basic and Service/AllowUnencrypted to false in a step",
    ),
    Rule::new(
        "H007",
        "local administrators are not filtered over the network",
        "`LocalAccountTokenFilterPolicy` is 1, and the build did not set it, so that it stays. A stolen password of a local
administrator then opens the clone from afar.",
        "delete the value in a step unless it is wanted",
    ),
    Rule::new(
        "H008",
        "a scheduled task of a build stays in the image",
        "The tasks of this build are removed; this one is of an earlier build and would run on every clone.",
        "delete the task in a step",
    ),
    Rule::new(
        "H009",
        "commands wait for the next logon",
        "Installers leave entries under `RunOnce`. They run on every clone when somebody first logs on.",
        "restart and log on once in the build, or delete the entries in a step",
    ),
    Rule::new(
        "H010",
        "an old answer file has a password",
        "Passwords in answer files are plain or only obscured. Setup leaves such files behind, and everybody who can read them
on a clone has the password.",
        "remove the file",
    )
    .clean(Category::AnswerFiles),
    Rule::new(
        "H011",
        "an old answer file is there",
        "It may win over the image's own answer file at the first boot.",
        "remove the file",
    )
    .clean(Category::AnswerFiles),
    Rule::new(
        "H012",
        "the password of the automatic logon is in the registry",
        "`Winlogon`, `DefaultPassword` holds it in plain text, readable by every user of every clone.",
        "remove the values of the automatic logon",
    )
    .clean(Category::Winlogon),
    Rule::new(
        "H013",
        "automatic logon is on",
        "Every machine made of the image would log this user on by itself, without asking for a password.",
        "remove the values of the automatic logon",
    )
    .clean(Category::Winlogon),
    Rule::new(
        "H014",
        "SSH host keys are in the image",
        "All clones would have the same host keys. The SSH server makes new ones at its start when there are none.",
        "remove the host keys",
    )
    .clean(Category::SshHostKeys),
    Rule::new(
        "H015",
        "PowerShell's history is in the image",
        "Every line that was typed, also those with passwords, stands in `ConsoleHost_history.txt` of the profile.",
        "remove the histories",
    )
    .clean(Category::PowershellHistory),
    Rule::new(
        "H016",
        "PowerShell transcripts are in the image",
        "Transcripts repeat the whole output of scripts, and the commands with their values.",
        "remove the transcripts",
    )
    .clean(Category::PowershellHistory),
    Rule::new(
        "H017",
        "PowerShell's event log is not empty",
        "Script block logging writes the text of whole scripts there. Sysprep clears the classic logs only.",
        "clear the event logs",
    )
    .clean(Category::EventLogs),
    Rule::new(
        "H018",
        "files of a user are in the image",
        "What was downloaded or kept on a desktop during the build is on every clone.",
        "remove what is not wanted in a step",
    ),
    Rule::new(
        "H019",
        "the hosts file was changed",
        "Names that were pinned for the build are pinned on every clone too.",
        "take the lines out in a step unless they are wanted",
    ),
    Rule::new(
        "H020",
        "Cloudbase-Init remembers a machine",
        "It notes for each machine which plugins have run. With the notes of the build machine, clones may get no password, no
key and no larger drive.",
        "let the build prepare the service (`cloudbase_init: { mode: setup_complete }`)",
    ),
    Rule::new(
        "H021",
        "WSUS knows this machine by an id that clones would share",
        "All clones report to the update server as one machine.",
        "remove the id; clones make new ones",
    )
    .clean(Category::WsusId),
    Rule::new(
        "H022",
        "an agent keeps this machine's identity",
        "Agents of management and monitoring write an id or a key down when they first start. Clones that share it overwrite
each other on the agent's server.",
        "remove the agent's identity as its maker says, or install it on the clone",
    ),
    Rule::new(
        "H023",
        "temporary files take room",
        "They are in every clone and in every copy of the image.",
        "clean them",
    )
    .clean(Category::Temp),
    Rule::new(
        "H024",
        "memory dumps are in the image",
        "A dump holds whatever was in memory, also keys and passwords.",
        "remove them",
    )
    .clean(Category::CrashDumps),
    Rule::new(
        "H025",
        "downloads of Windows Update take room",
        "What is installed need not be kept as a download too.",
        "clean them",
    )
    .clean(Category::UpdateCache),
    Rule::new(
        "H026",
        "old logs take room",
        "Logs of servicing and Setup tell about the build machine only.",
        "clean them",
    )
    .clean(Category::Logs),
    Rule::new(
        "H027",
        "an older Windows is on the disk",
        "It takes room in every clone, and holds the older machine's data.",
        "remove it",
    )
    .clean(Category::WindowsOld),
    Rule::new(
        "H028",
        "the hibernation file is in the image",
        "It takes room, and a drive that was left hibernated cannot be mounted cleanly.",
        "switch hibernation off",
    )
    .clean(Category::Hibernation),
    Rule::new(
        "H029",
        "something could not be looked at",
        "The question failed in the guest. Whether something is left there is not known.",
        "look at the reason",
    ),
];
