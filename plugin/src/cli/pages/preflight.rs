//! Codes of the preflight: what would make sysprep fail, or the image useless.

use reseal_diag::CodePage;

const fn page(code: &'static str, title: &'static str, text: &'static str) -> CodePage {
    CodePage { code, title, text }
}

/// The pages.
pub(super) const CODES: &[CodePage] = &[
    page(
        "P001",
        "the account has no elevated token",
        "Sysprep refuses without the full token of an administrator; over the network a local administrator gets a filtered one.

Cure: use an administrator with the full token; over the network that needs LocalAccountTokenFilterPolicy = 1.",
    ),
    page(
        "P002",
        "sysprep would run as SYSTEM",
        "That is not supported: machines made of such an image of newer Windows show a black screen.

Cure: run as the build administrator.",
    ),
    page(
        "P003",
        "PowerShell is restricted",
        "In the constrained language mode the scripts of a build cannot call .NET. A policy of WDAC or AppLocker sets it.

Cure: lift the policy while the image is built.",
    ),
    page(
        "P004",
        "an earlier sysprep did not end well",
        "GeneralizationState is 7 and CleanupState 2 on a healthy machine; with others sysprep refuses with 0x8007001f.

Cure: begin again from the base image.",
    ),
    page(
        "P005",
        "the system's state is not complete",
        "ImageState says that a phase of Setup runs, or has failed.

Cure: wait until the first boot has ended, or begin again from the base image.",
    ),
    page(
        "P006",
        "sysprep is running already",
        "Only one may run. One that was started without /quiet waits for ever at a dialog that nobody sees.

Cure: end it.",
    ),
    page(
        "P007",
        "no rearm is left",
        "Each generalization uses up one; without any, sysprep fails with 0xc004d307 after it has begun.

Cure: set SkipRearm = 1 in the generalize pass, or begin again from a base image with rearms left.",
    ),
    page(
        "P008",
        "only few rearms are left",
        "Images that are built from this image will run out of them.

Cure: build from the original base image, not from an image of an image.",
    ),
    page(
        "P009",
        "the licensing service does not start",
        "Sysprep asks `sppsvc` to rearm Windows, and fails without it.

Cure: set the service back to automatic (delayed) and start it.",
    ),
    page(
        "P010",
        "Windows is not activated",
        "For a volume licence that is activated on the clone this is usual; an expired evaluation shuts down every hour.

Cure: nothing to do for a volume licence.",
    ),
    page(
        "P011",
        "a restart is pending",
        "Sysprep refuses with 0x8007139f while updates wait for a restart.

Cure: restart, perhaps twice, and ask again.",
    ),
    page(
        "P012",
        "something waits for a restart that may not matter",
        "Files that are to be renamed, or a pending computer name, do not always stop sysprep.

Cure: a restart may clear them; some programs leave such entries for ever.",
    ),
    page(
        "P013",
        "Windows is servicing itself",
        "Updates or features are being installed; sysprep could meet half of them.

Cure: wait until these processes have ended.",
    ),
    page(
        "P014",
        "Windows Installer is at work",
        "An installation is under way, and sysprep would meet half of it.

Cure: wait until it has ended.",
    ),
    page(
        "P015",
        "reserved storage is in use",
        "Sysprep refuses with 0x80070975 while an update uses it.

Cure: wait for servicing to end and restart, or switch reserved storage off.",
    ),
    page(
        "P016",
        "apps are installed for a user but not provisioned",
        "Sysprep refuses with 0x80073cf2, and names only the first of them.

Cure: remove these packages for all users, or provision them.",
    ),
    page(
        "P017",
        "the app service is disabled",
        "Sysprep's part for apps cannot work without `AppXSvc` and fails with 0x80070422.

Cure: set the service back to manual.",
    ),
    page(
        "P018",
        "the store may update apps for one user",
        "An app that the store updates for one user is not provisioned any more, and stops sysprep.

Cure: switch the store's automatic updates off while the image is built.",
    ),
    page(
        "P019",
        "BitLocker is on",
        "Sysprep refuses with 0x80310039 until the system volume is decrypted.

Cure: decrypt the volume (manage-bde -off) and wait.",
    ),
    page(
        "P020",
        "the machine is in a domain",
        "Generalizing takes it out of the domain without a word.

Cure: build images outside the domain and join on the clone.",
    ),
    page(
        "P021",
        "a role does not survive sysprep",
        "Some server roles keep the machine's name and identity and cannot be generalized.

Cure: install it on the clone instead.",
    ),
    page(
        "P022",
        "Hyper-V has virtual switches",
        "They are bound to this machine's network adapters and do not survive generalizing.

Cure: remove the virtual switches first.",
    ),
    page(
        "P023",
        "IIS has encrypted passwords",
        "Their key belongs to this machine: on a clone nobody can decrypt them.

Cure: set these passwords on the clone.",
    ),
    page(
        "P024",
        "Windows Deployment Services is installed",
        "The server must be taken down before sysprep.

Cure: run `wdsutil /uninitialize-server` first.",
    ),
    page(
        "P025",
        "this Windows was upgraded in place",
        "Sysprep may fail with 0x80070003 at what the upgrade has left.

Cure: begin with a clean installation.",
    ),
    page(
        "P026",
        r"C:\Windows.old is there",
        "It makes the image large, and is a sign of an upgrade.

Cure: remove it, or clean `windows_old`.",
    ),
    page(
        "P027",
        "old answer files are there",
        "Setup searches several places, and could take one of them at the clone's first boot.

Cure: remove them.",
    ),
    page(
        "P028",
        "other user profiles stay in the image",
        "Generalizing does not remove profiles, and what is in them goes into every clone.

Cure: remove them if they should not stay.",
    ),
    page(
        "P029",
        "another program takes part in sysprep",
        "If its DLL fails, sysprep fails.

Cure: if it fails, remove its value under SysPrepExternal.",
    ),
    page(
        "P030",
        "Defender for Endpoint is onboarded",
        "It keeps a key locked that sysprep must delete, and the image is lost.

Cure: run the offboarding package; onboard on the clone.",
    ),
    page(
        "P031",
        "a service runs that may disturb sysprep",
        "Windows Search and media sharing hold what sysprep's clean-up needs.

Cure: stop it before.",
    ),
    page(
        "P032",
        "the update service is disabled",
        "Sysprep's update provider waits for the service, which can never start, and hangs.

Cure: set it to manual.",
    ),
    page(
        "P033",
        "hardly any space is free on C:",
        "Sysprep, the first boot and the page file need some, and fail in odd ways without.

Cure: make room, or take a larger root volume.",
    ),
    page(
        "P034",
        "little space is free on C:",
        "Sysprep will do, but the clone's first updates may not fit.

Cure: make room, or take a larger root volume.",
    ),
    page(
        "P035",
        "the boot configuration cannot be read",
        r"Sysprep generalizes it and fails after it has begun.

Cure: repair it with `bcdboot C:\Windows`.",
    ),
    page(
        "P036",
        "the guest's clock is off",
        "Certificates and log-ins fail when clocks differ too much.

Cure: let the guest synchronize its time.",
    ),
    page(
        "P037",
        "a fact could not be read",
        "The preflight does not know about it; the message says why.

Cure: sysprep may find out by itself.",
    ),
];
