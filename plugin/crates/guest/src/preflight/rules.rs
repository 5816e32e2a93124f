//! The preflight's rules with their pages: what would make sysprep fail, or the image useless.

use crate::rule::Rule;
use crate::system::Fixes;

const SYSPREP: &str =
    "https://learn.microsoft.com/windows-hardware/manufacture/desktop/sysprep--system-preparation--overview";
const GENERALIZE: &str =
    "https://learn.microsoft.com/windows-hardware/manufacture/desktop/sysprep--generalize--a-windows-installation";
const STATES: &str = "https://learn.microsoft.com/windows-hardware/manufacture/desktop/windows-setup-states";
const ROLES: &str = "https://learn.microsoft.com/windows-hardware/manufacture/desktop/sysprep-support-for-server-roles";
const APPS: &str = "https://learn.microsoft.com/troubleshoot/windows-client/setup-upgrade-and-drivers/sysprep-fails-remove-or-update-store-apps";
const REMOTE_UAC: &str = "https://learn.microsoft.com/troubleshoot/windows-server/windows-security/user-account-control-and-remote-restriction";
const ANSWER_FILES: &str =
    "https://learn.microsoft.com/windows-hardware/manufacture/desktop/windows-setup-automation-overview";
const SKIP_REARM: &str =
    "https://learn.microsoft.com/windows-hardware/customize/desktop/unattend/microsoft-windows-security-spp-skiprearm";

/// All rules. Codes are never renamed and never mean something else.
pub const RULES: &[Rule] = &[
    Rule::new(
        "P001",
        "the account has no elevated token",
        "Sysprep refuses to run without the full token of an administrator. Over the network a local administrator other
than the built-in one gets a filtered token unless `LocalAccountTokenFilterPolicy` is 1.",
        "use an administrator with the full token; over the network that needs LocalAccountTokenFilterPolicy = 1",
    )
    .docs(REMOTE_UAC),
    Rule::new(
        "P002",
        "sysprep would run as SYSTEM",
        "It is not supported. On Windows 11 24H2, Server 2025 and later the per-user registration of built-in app packages
is then left out, and machines made of the image show a black screen.",
        "run as the build administrator",
    )
    .docs(SYSPREP),
    Rule::new(
        "P003",
        "PowerShell is restricted",
        "In the constrained language mode no script of a build can call .NET or COM. A policy of WDAC or AppLocker sets it,
or Windows in S mode.",
        "lift the WDAC or AppLocker policy while the image is built",
    ),
    Rule::new(
        "P004",
        "an earlier sysprep did not end well",
        "`GeneralizationState` is 7 and `CleanupState` 2 on a healthy machine. With other values sysprep refuses with
0x8007001f. A run that failed after it had begun to change things leaves a system that cannot be repaired.",
        "begin again from the base image; a half generalized system cannot be repaired",
    )
    .docs(SYSPREP),
    Rule::new(
        "P005",
        "Windows is not in its complete state",
        "`ImageState` is `IMAGE_STATE_COMPLETE` once Setup has ended, and `..._RESEAL_TO_AUDIT` in audit mode. Anything else
means that a phase of Setup is running or has failed.",
        "wait until the first boot has ended, or begin again from the base image",
    )
    .docs(STATES),
    Rule::new(
        "P006",
        "sysprep is running already",
        "Only one instance may run. A run that was started without `/quiet` waits for ever at a dialog that nobody sees.",
        "end it",
    ),
    Rule::new(
        "P007",
        "no rearm is left",
        "Every generalization resets the activation and uses up one rearm. Without one sysprep fails with 0xc004d307 after
it has begun, and the machine is lost.",
        "set SkipRearm = 1 in the generalize pass, or begin again from a base image with rearms left",
    )
    .docs(SKIP_REARM),
    Rule::new(
        "P008",
        "few rearms are left",
        "Each image of an image uses up one more. When none is left, no further image can be made of it.",
        "build from the original base image, not from an image of an image",
    )
    .docs(SKIP_REARM),
    Rule::new(
        "P009",
        "the licensing service does not start",
        "Sysprep resets the activation through the service `sppsvc` and fails with 0xc004f075 when it is stopped or disabled.",
        "set the service `sppsvc` back to automatic (delayed) and start it",
    )
    .fix(Fixes::Services),
    Rule::new(
        "P010",
        "Windows is not activated",
        "A machine made of the image is activated by itself where a volume licence and a KMS host are there. An expired
evaluation, however, shuts the guest down every hour, which looks like a crash.",
        "nothing to do for a volume licence that is activated on the clone",
    ),
    Rule::new(
        "P011",
        "a restart is pending",
        "Sysprep's first validator refuses while servicing has not been completed by a restart (0x8007139f). Each source
that says so is named with its place.",
        "restart, perhaps twice, and ask again",
    )
    .docs(GENERALIZE),
    Rule::new(
        "P012",
        "files wait for a restart",
        "Programs have asked Windows to replace or delete files at the next start. Sysprep does not mind; some programs
leave such entries for ever.",
        "a restart may clear them",
    ),
    Rule::new(
        "P013",
        "Windows is servicing itself",
        "Updates or features are being installed at this moment. Sysprep's validators fail or hang meanwhile.",
        "wait until these processes have ended",
    ),
    Rule::new(
        "P014",
        "Windows Installer is at work",
        "Another installation holds its mutex. An image must not be taken in the middle of it.",
        "wait until it has ended",
    ),
    Rule::new(
        "P015",
        "reserved storage is in use",
        "An update or another servicing operation holds it, and sysprep refuses with 0x800F0975.",
        "wait for servicing to end and restart, or switch reserved storage off",
    )
    .fix(Fixes::ReservedStorage),
    Rule::new(
        "P016",
        "apps are installed for a user but not provisioned",
        "The most frequent failure of sysprep (0x80073cf2): such a package would not work for the users of the clone. The
Store, `winget`, Edge and language packs bring them; sysprep's own log names only the first.",
        "remove these packages for all users, or provision them",
    )
    .docs(APPS)
    .fix(Fixes::Appx),
    Rule::new(
        "P017",
        "the app service is disabled",
        "Sysprep asks the service `AppXSvc` about app packages. Where a debloating script has disabled it, the validator
ends with 0x422.",
        "set the service `AppXSvc` back to manual",
    )
    .docs(APPS)
    .fix(Fixes::Services),
    Rule::new(
        "P018",
        "the store may update apps for one user",
        "An update that arrives during the build installs the new package for the build account only, and sysprep then
refuses (P016).",
        "switch the store's automatic updates off while the image is built",
    )
    .docs(APPS)
    .fix(Fixes::Store),
    Rule::new(
        "P019",
        "BitLocker is on",
        "Sysprep refuses with 0x80310039 while the system volume is encrypted or being decrypted. Windows 11 24H2 encrypts
by itself where it finds a TPM.",
        "decrypt the volume (manage-bde -off) and wait",
    )
    .fix(Fixes::Bitlocker),
    Rule::new(
        "P020",
        "the machine is in a domain",
        "Generalizing takes it out of the domain without a word, and what the domain's policies changed stays in the image.",
        "build images outside the domain and join on the clone",
    )
    .docs(SYSPREP),
    Rule::new(
        "P021",
        "a role does not survive sysprep",
        "Certificate services, directory services, DHCP, fax, NPS and WSUS keep this machine's name and keys.",
        "install it on the clone instead",
    )
    .docs(ROLES),
    Rule::new(
        "P022",
        "Hyper-V has virtual switches",
        "They are bound to this machine's network adapters and do not survive.",
        "remove the virtual switches first",
    )
    .docs(ROLES),
    Rule::new(
        "P023",
        "IIS has encrypted passwords",
        "`applicationHost.config` holds passwords that are encrypted with this machine's key; generalizing replaces the key.",
        "set these passwords on the clone",
    )
    .docs(ROLES),
    Rule::new(
        "P024",
        "Windows Deployment Services is installed",
        "The deployment server is bound to this machine's name and does not work on a clone that has another.",
        "run `wdsutil /uninitialize-server` first",
    )
    .docs(ROLES),
    Rule::new(
        "P025",
        "this Windows was upgraded in place",
        "Leftovers of the older Windows make some cleanup providers fail with 0x80070003.",
        "begin with a clean installation",
    )
    .docs(SYSPREP),
    Rule::new(
        "P026",
        "an older Windows is still on the disk",
        r"`C:\Windows.old` takes room in every machine made of the image, and holds the older machine's data.",
        "remove it, or clean `windows_old`",
    ),
    Rule::new(
        "P027",
        "old answer files are there",
        r"Setup looks for an answer file in `Panther`, `System32\Sysprep` and the root of the drive, and first where
`HKLM\SYSTEM\Setup`, `UnattendFile` points to. One of an earlier run could take the place of the build's, and it may
hold a password.",
        "remove them; Setup could take one of them",
    )
    .docs(ANSWER_FILES)
    .fix(Fixes::AnswerFiles),
    Rule::new(
        "P028",
        "other user profiles stay in the image",
        "Generalizing keeps the profiles of all users. What they hold is in every machine made of the image.",
        "remove them if they should not",
    ),
    Rule::new(
        "P029",
        "another program takes part in sysprep",
        "Its library is called at the named phase. When it fails, sysprep fails; the log names the library.",
        "if it fails, remove its value under SysPrepExternal",
    ),
    Rule::new(
        "P030",
        "Defender for Endpoint is onboarded",
        "Its service protects its own registry value, so that sysprep fails with 0x80070005 after it has begun. Clones would
also share one identity.",
        "run the offboarding package; onboard on the clone",
    ),
    Rule::new(
        "P031",
        "a service may disturb sysprep",
        "The search service and a few others hold files that their own cleanup providers want to delete (0x80070005).",
        "stop it before",
    )
    .fix(Fixes::Services),
    Rule::new(
        "P032",
        "the update service is disabled",
        "The update provider of sysprep hangs when it cannot start the service `wuauserv`.",
        "set it to manual",
    )
    .fix(Fixes::Services),
    Rule::new(
        "P033",
        "the system drive is full",
        "Below 2 GiB of free space generalizing may stop half way, and the machine is lost.",
        "make room, or take a larger root volume",
    ),
    Rule::new(
        "P034",
        "the system drive is nearly full",
        "Below 10 GiB a machine made of the image soon has no room for updates.",
        "make room, or take a larger root volume",
    ),
    Rule::new(
        "P035",
        "the boot configuration cannot be read",
        "Sysprep's boot provider fails where the system partition or its store is missing, as on a disk that was cloned.",
        r"repair it with `bcdboot C:\Windows`",
    ),
    Rule::new(
        "P036",
        "the guest's clock is wrong",
        "Certificates, licences and downloads depend on it, and the proof that sysprep ran compares times.",
        "let the guest synchronize its time",
    ),
    Rule::new(
        "P037",
        "a fact could not be read",
        "The question failed in the guest. What it would have told is not known.",
        "look at the reason; sysprep may find out by itself",
    ),
    Rule::new(
        "P038",
        "this Windows is older than what is supported",
        "Reseal knows Windows 10 1607, Server 2016 and later.",
        "take a newer base image",
    ),
    Rule::new(
        "P039",
        "the evaluation of Windows has expired",
        "An expired evaluation shuts itself down every hour, also in the middle of a build, and so does each machine made
of the image.",
        "convert it with a product key (`dism /online /Set-Edition`), or take a licensed base image",
    ),
    Rule::new(
        "P040",
        "the registry says that activation is not to be reset",
        "`SkipRearm` under `SoftwareProtectionPlatform` is what people set to repair a failed sysprep. With it all clones keep
the same activation identity, and a KMS host counts them as one machine.",
        "delete the value SkipRearm, and use the answer file's setting where it is wanted",
    )
    .docs(SKIP_REARM),
    Rule::new(
        "P041",
        "an installation was begun and not ended",
        "Windows Installer keeps a key for an installation under way. It is still there, so that one was broken off, or waits.",
        "run the installer again to its end, or restart",
    ),
    Rule::new(
        "P042",
        "an installer is running",
        "A program that installs something, or the compilation that .NET does after an installation, is at work.",
        "wait until these processes have ended",
    ),
    Rule::new(
        "P043",
        "the machine is joined to Microsoft Entra ID",
        "Generalizing is not supported for joined machines; clones would present the same device identity.",
        "leave with `dsregcmd /leave` before the image is made",
    ),
    Rule::new(
        "P044",
        "SQL Server is set up completely",
        "An instance that was set up keeps this machine's name, SIDs and keys. Only a prepared instance may be generalized.",
        "install it with /ACTION=PrepareImage and complete it on the clone",
    ),
    Rule::new(
        "P045",
        "a sysprep library is missing",
        "An entry under `SysPrepExternal` names a library that is not there, or is hidden so that it cannot be loaded. Sysprep
fails with 0x80070002, or stops there for ever.",
        "remove the entry of a missing library; make a hidden one visible (`attrib -H`)",
    )
    .fix(Fixes::Providers),
    Rule::new(
        "P046",
        "a service that sysprep needs is disabled",
        "The cryptographic providers call the services `CryptSvc` and `VSS`, and fail with 0xc0020036 without them.",
        "set these services back to their usual start mode",
    )
    .fix(Fixes::Services),
    Rule::new(
        "P047",
        "the task scheduler does not run",
        "Sysprep must not die with the connection that started it, so it is started as a scheduled task.",
        "start the service `Schedule`; it cannot be disabled on a healthy Windows",
    ),
    Rule::new(
        "P048",
        "a network logon has a filtered token",
        "This account keeps its rights only until its session ends: `LocalAccountTokenFilterPolicy` is not 1, and it is not the
built-in administrator. What needs a new logon, as after a restart, is then refused.",
        "set LocalAccountTokenFilterPolicy to 1 while the image is built",
    )
    .docs(REMOTE_UAC),
    Rule::new(
        "P049",
        "Setup has not ended",
        "`SystemSetupInProgress` or `OOBEInProgress` is set: the first start of this machine is not over, or was broken off.",
        "wait until the first boot has ended, or begin again from the base image",
    )
    .docs(STATES),
    Rule::new(
        "P050",
        "a profile's folder is gone",
        "The list of profiles has an entry without a folder. With CopyProfile the specialize pass of every clone then fails
(0x80070003), so that it stops the build when the answer file asks for it.",
        "delete the entry under `ProfileList`, or do not use CopyProfile",
    ),
    Rule::new(
        "P051",
        "an answer file is on a removable drive",
        "Setup looks there before it looks in `System32\\Sysprep`. Where the drive is still attached at the first boot of a
clone, it may win.",
        "detach the drive before the image is used",
    )
    .docs(ANSWER_FILES),
    Rule::new(
        "P052",
        "SkipRearm keeps the KMS identity",
        "The machine is a KMS client, and the answer file leaves the activation alone: all clones keep one client id, and the
KMS host counts them as one machine.",
        "leave SkipRearm out while rearms are left",
    )
    .docs(SKIP_REARM),
];
