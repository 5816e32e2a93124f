//! The tables of exit codes.

use super::{Class, Meaning};

const fn ok(code: u32, text: &'static str) -> Meaning {
    Meaning {
        code,
        class: Class::Success,
        text,
        hint: None,
    }
}

const fn is(class: Class, code: u32, text: &'static str) -> Meaning {
    Meaning {
        code,
        class,
        text,
        hint: None,
    }
}

const fn bad(code: u32, text: &'static str) -> Meaning {
    Meaning {
        code,
        class: Class::Failure,
        text,
        hint: None,
    }
}

const fn cure(code: u32, text: &'static str, hint: &'static str) -> Meaning {
    Meaning {
        code,
        class: Class::Failure,
        text,
        hint: Some(hint),
    }
}

/// Windows Installer.
pub(super) const MSI: &[Meaning] = &[
    ok(0, "success"),
    bad(13, "the package's data are invalid"),
    cure(
        87,
        "an argument is invalid",
        "look at the properties and arguments of the step",
    ),
    bad(120, "a function is not available to custom actions"),
    cure(
        1259,
        "blocked by the compatibility database",
        "this version does not run on this Windows",
    ),
    cure(
        1601,
        "the Windows Installer service is not reachable",
        "is the service `msiserver` disabled?",
    ),
    bad(1602, "cancelled"),
    cure(
        1603,
        "fatal error during installation",
        "search the log for `Return value 3`; often a pending restart or a missing prerequisite",
    ),
    bad(1604, "installation suspended, incomplete"),
    bad(1605, "the product is not installed"),
    cure(1606, "unknown feature", "look at `features`"),
    bad(1607, "unknown component"),
    cure(1608, "unknown property", "look at `properties`"),
    bad(1609, "a handle is in an invalid state"),
    bad(1610, "the product's configuration data are corrupt"),
    bad(1611, "component qualifier not present"),
    cure(
        1612,
        "the installation source is gone",
        "an earlier version is to be removed and its cached package is missing",
    ),
    bad(1613, "the package needs a newer Windows Installer"),
    bad(1614, "the product is uninstalled"),
    bad(1615, "an SQL query of the package is invalid"),
    bad(1616, "record field does not exist"),
    is(Class::Busy, 1618, "another installation is in progress"),
    cure(
        1619,
        "the package could not be opened",
        "is it really an MSI, and complete?",
    ),
    bad(1620, "the package is invalid"),
    bad(1621, "the user interface could not be started"),
    cure(1622, "the log file could not be opened", "is the disk full?"),
    bad(1623, "the package's language is not supported"),
    cure(
        1624,
        "a transform could not be applied",
        "does the transform belong to this version of the package?",
    ),
    cure(
        1625,
        "forbidden by system policy",
        "look at software restriction and Windows Installer policies",
    ),
    bad(1626, "a function could not be executed"),
    bad(1627, "a function failed during execution"),
    bad(1628, "invalid or unknown table"),
    bad(1629, "data of the wrong type"),
    bad(1630, "data of an unsupported type"),
    bad(1631, "the service failed to start"),
    cure(1632, "the temporary folder is full or not writable", "make room on C:"),
    cure(
        1633,
        "the package is for another processor architecture",
        "take the x64 package",
    ),
    bad(1634, "the component is not used on this machine"),
    bad(1635, "the patch could not be opened"),
    bad(1636, "the patch is invalid"),
    bad(1637, "the patch needs a newer Windows Installer"),
    cure(
        1638,
        "another version of the product is installed",
        "give `detect` so that the present version can be judged",
    ),
    cure(
        1639,
        "invalid command line",
        "look at the properties and arguments of the step",
    ),
    bad(1640, "not permitted from a terminal session"),
    is(Class::Reboot, 1641, "success, and the installer has started a restart"),
    bad(1642, "the program that the patch is for is not installed"),
    bad(1643, "the patch is forbidden by policy"),
    bad(1644, "a customization is forbidden by policy"),
    bad(1645, "not permitted in a remote session"),
    bad(1646, "this patch cannot be removed"),
    bad(1647, "the patch is not applied to this product"),
    bad(1648, "no valid order of the patches was found"),
    bad(1649, "removing the patch is forbidden by policy"),
    bad(1650, "the patch's XML is invalid"),
    bad(1651, "the administrator may not patch this product"),
    bad(1652, "Windows Installer does not work in safe mode"),
    bad(
        1653,
        "rollback is disabled, so several packages cannot be installed at once",
    ),
    cure(
        1654,
        "rejected: the application is not for this version of Windows",
        "take a version for this Windows",
    ),
    is(Class::Reboot, 3010, "success, a restart is required"),
];

/// Inno Setup.
pub(super) const INNO: &[Meaning] = &[
    ok(0, "success"),
    bad(1, "setup could not be initialized"),
    bad(2, "cancelled before the installation began"),
    bad(3, "fatal error while preparing"),
    cure(4, "fatal error during installation", "the log has the reason"),
    bad(5, "cancelled during the installation"),
    bad(6, "ended by a debugger"),
    cure(
        7,
        "the preparing stage says that setup cannot go on",
        "the log has the reason; often a program that is in use",
    ),
    cure(
        8,
        "the preparing stage wants a restart first",
        "put a `reboot` step before this one",
    ),
    is(Class::Reboot, 3010, "success, a restart is required"),
];

/// Nullsoft.
pub(super) const NSIS: &[Meaning] = &[
    ok(0, "success"),
    bad(1, "cancelled"),
    cure(
        2,
        "the installer's script gave up",
        "the installer writes no log; run it by hand to see why",
    ),
    is(Class::Reboot, 3010, "success, a restart is required"),
];

/// `WiX` bundles, also Visual C++ and .NET redistributables.
pub(super) const BURN: &[Meaning] = &[
    ok(0, "success"),
    bad(1602, "cancelled"),
    is(Class::Busy, 1618, "another installation is in progress"),
    is(Class::Busy, 0x8007_0652, "another installation is in progress"),
    is(Class::Already, 1638, "this or a newer version is installed"),
    is(Class::Already, 0x8007_0666, "this or a newer version is installed"),
    is(Class::Reboot, 1641, "success, and the installer has started a restart"),
    is(
        Class::Reboot,
        0x8007_0669,
        "success, and the installer has started a restart",
    ),
    is(Class::Reboot, 3010, "success, a restart is required"),
    is(Class::Reboot, 0x8007_0BC2, "success, a restart is required"),
    bad(5100, "this system does not fulfil the requirements"),
    cure(0x8007_0570, "a file of the bundle is corrupt", "check the download"),
    cure(
        0x8007_2EE7,
        "a part could not be downloaded: the server's name does not resolve",
        "take the offline installer",
    ),
    cure(
        0x8007_2EFD,
        "a part could not be downloaded: no connection",
        "take the offline installer",
    ),
];

/// `InstallShield` `InstallScript`, by `ResultCode` of its log.
pub(super) const INSTALL_SHIELD: &[Meaning] = &[
    ok(0, "success"),
    bad(0xFFFF_FFFF, "general error"),
    bad(0xFFFF_FFFE, "invalid mode"),
    cure(
        0xFFFF_FFFD,
        "required data are missing in the response file",
        "record the response file anew with `/r`",
    ),
    bad(0xFFFF_FFFC, "not enough memory"),
    bad(0xFFFF_FFFB, "a file is missing"),
    bad(0xFFFF_FFFA, "the response file could not be written"),
    bad(0xFFFF_FFF9, "the log could not be written"),
    bad(0xFFFF_FFF8, "the path of the response file is wrong"),
    bad(0xFFFF_FFF7, "a list in the response file has the wrong type"),
    bad(0xFFFF_FFF6, "data in the response file have the wrong type"),
    bad(0xFFFF_FFF5, "unknown error during setup"),
    cure(
        0xFFFF_FFF4,
        "the dialogs came in another order than in the response file",
        "record the response file on this version of Windows and of the product",
    ),
    bad(0xFFFF_FFCD, "a folder could not be created"),
    bad(0xFFFF_FFCC, "a file or folder could not be read"),
    bad(0xFFFF_FFCB, "an option is invalid"),
    is(Class::Reboot, 3010, "success, a restart is required"),
    is(Class::Reboot, 1641, "success, and the installer has started a restart"),
];

/// `wusa.exe`.
pub(super) const WUSA: &[Meaning] = &[
    ok(0, "success"),
    cure(5, "access denied", "wusa refuses network logons; it must run in a task"),
    bad(87, "an argument is invalid"),
    is(Class::Busy, 1618, "another installation is in progress"),
    is(Class::Reboot, 3010, "success, a restart is required"),
    is(Class::Reboot, 0x0024_0005, "success, a restart is required"),
    is(Class::Already, 0x0024_0006, "already installed"),
    bad(0x0024_0007, "already removed"),
    is(
        Class::NotApplicable,
        0x8024_0017,
        "the update does not apply to this system",
    ),
    cure(
        0x8024_0016,
        "another installation runs or a restart is pending",
        "put a `reboot` step before this one",
    ),
    cure(
        0x8007_0422,
        "the service `wuauserv` is disabled",
        "set it to manual before this step",
    ),
];

/// `dism.exe` and the servicing stack.
pub(super) const DISM: &[Meaning] = &[
    ok(0, "success"),
    is(Class::Reboot, 3010, "success, a restart is required"),
    bad(50, "not supported by this image"),
    bad(87, "an option is unknown"),
    cure(
        740,
        "elevation is required",
        "the build account must be an administrator with its full token",
    ),
    bad(0x800F_0805, "the package is invalid"),
    cure(
        0x800F_0806,
        "servicing operations are pending",
        "put a `reboot` step before this one",
    ),
    cure(
        0x800F_080C,
        "unknown feature name",
        "list the names with `Get-WindowsOptionalFeature -Online`",
    ),
    is(
        Class::NotApplicable,
        0x800F_081E,
        "the package does not apply to this system",
    ),
    cure(
        0x800F_081F,
        "the source files were not found",
        "give `source` with the folder `sources\\sxs` of the installation medium",
    ),
    cure(
        0x800F_0823,
        "a newer servicing stack is needed",
        "install the servicing stack update first",
    ),
    cure(
        0x800F_0906,
        "the source files could not be downloaded",
        "give `source`, or let the guest reach Windows Update",
    ),
    cure(
        0x800F_0907,
        "a policy forbids downloading the source files",
        "give `source`",
    ),
    cure(
        0x800F_0922,
        "the operation failed",
        "C:\\Windows\\Logs\\CBS\\CBS.log has the reason; often too little room on the system partition",
    ),
    cure(
        0x800F_0954,
        "the source files are asked from a WSUS server that has none",
        "give `source`, or switch `UseWUServer` off for the build",
    ),
    is(Class::Busy, 0x800F_0902, "another servicing operation is in progress"),
];

/// Chocolatey.
pub(super) const CHOCO: &[Meaning] = &[
    ok(0, "success"),
    bad(1, "error"),
    bad(0xFFFF_FFFF, "error"),
    cure(2, "nothing was found", "look at the package's name, version and feed"),
    cure(
        350,
        "a restart is pending, so nothing was done",
        "put a `reboot` step before this one",
    ),
    bad(1604, "suspended"),
    is(Class::Busy, 1618, "another installation is in progress"),
    is(Class::Reboot, 1641, "success, and the installer has started a restart"),
    is(Class::Reboot, 3010, "success, a restart is required"),
];

/// Windows Update Agent.
pub(super) const WINDOWS_UPDATE: &[Meaning] = &[
    is(Class::Reboot, 0x0024_0005, "a restart is required"),
    bad(0x8024_0016, "another installation runs or a restart is pending"),
    is(Class::NotApplicable, 0x8024_0017, "the update does not apply"),
    bad(0x8024_001E, "the service was stopped"),
    bad(0x8024_0020, "an interactive user is needed"),
    bad(0x8024_0022, "all updates failed"),
    cure(
        0x8024_002E,
        "updates are switched off by policy",
        "remove the policy for the build",
    ),
    cure(0x8024_0041, "sysprep is running", "let it end first"),
    cure(
        0x8024_0044,
        "only administrators may do this",
        "the operation must run in a task",
    ),
    cure(
        0x8024_004A,
        "Windows Setup is in progress",
        "wait until the first boot has ended",
    ),
    cure(
        0x8024_401C,
        "the update server did not answer in time",
        "try again later",
    ),
    cure(0x8024_4022, "the update server is overloaded (503)", "try again later"),
    cure(
        0x8024_402C,
        "the update server's name does not resolve",
        "look at DNS and proxy in the guest",
    ),
    cure(
        0x8024_8007,
        "the update database lacks information",
        "restart the service `wuauserv`",
    ),
    cure(0x8007_0422, "the service `wuauserv` is disabled", "set it to manual"),
    cure(
        0x8007_0643,
        "the update's installer failed",
        "C:\\Windows\\Logs\\CBS\\CBS.log has the reason",
    ),
    bad(0x8007_000D, "the update's data are invalid"),
    cure(
        0x8007_2EE2,
        "the update server did not answer in time",
        "can the guest reach the internet?",
    ),
    cure(
        0x8007_2EFD,
        "no connection to the update server",
        "can the guest reach the internet?",
    ),
    cure(
        0x8007_2EE7,
        "the update server's name does not resolve",
        "look at DNS in the guest",
    ),
    cure(
        0x8007_3712,
        "the component store is corrupt",
        "run `dism /Online /Cleanup-Image /RestoreHealth`",
    ),
    bad(0x800F_0922, "the servicing operation failed"),
];

/// Only 0 is known.
pub(super) const PLAIN: &[Meaning] = &[
    ok(0, "success"),
    is(Class::Reboot, 3010, "success, a restart is required"),
    is(Class::Reboot, 1641, "success, and the installer has started a restart"),
    cure(
        0xC000_0005,
        "the program crashed (access violation)",
        "the Application event log has more",
    ),
    cure(
        0xC000_0135,
        "a DLL that the program needs is missing",
        "install its prerequisite first",
    ),
    cure(
        0xC000_0142,
        "a DLL failed to initialize",
        "programs with a window may need another logon: try `run_as`",
    ),
    cure(0xC000_013A, "ended from outside", "did something end it?"),
];
