//! The rules, one page each.

use reseal_diag::CodePage;

macro_rules! pages {
    ($($code:literal $title:literal $text:literal)+) => {
        /// The pages that `explain` prints.
        pub const CODES: &[CodePage] = &[$(CodePage { code: $code, title: $title, text: $text }),+];
    };
}

pages! {
"U001" "the file is not an answer file that Setup can read"
"It is not well-formed XML, or its root element is not `unattend` in the namespace `urn:schemas-microsoft-com:unattend`, \
or its encoding is not what it says.

Setup shows \"could not parse or process unattend answer file … The error was detected at line … column …\". Some readers \
bear with small slips, so a file may have been in use for years all the same.

Usual causes: an element or a quote that is not closed, a bare `&` or `<` in a command (write `&amp;`, `&lt;`), `--` \
inside a comment, a comment inside a comment, something before the XML declaration, the prefix `wcm` without its declaration, a `<!DOCTYPE>`."
"U002" "a configuration pass that does not exist, or is not run"
"The passes are windowsPE, offlineServicing, generalize, specialize, auditSystem, auditUser and oobeSystem.

An image that was generalized with sysprep goes through generalize on the build machine, and through specialize and \
oobeSystem on each machine made of it. windowsPE and offlineServicing belong to an installation from media; in a file \
for sysprep they do nothing."
"U003" "something stands twice"
"A component twice in one pass makes Setup refuse the file (0x8022001b, \"specified more than once\"); so does a setting \
that stands twice in one component. Two `settings` elements for one pass are merged by some readers only. Put all into \
one place."
"U004" "the identity of a component is wrong"
"A component is found by name, processorArchitecture, publicKeyToken and language; all must be there. For Windows' own \
components the token is `31bf3856ad364e35`, the language `neutral`; versionScope is usually `nonSxS` and may be left out."
"U005" "a component for another architecture"
"Setup looks for the component of the architecture that the file names. On an image of another one it leaves the settings \
out, or stops. `wow64` is the 32-bit half of a component on 64-bit Windows. A file may hold pairs for two architectures."
"U006" "an unknown component or setting"
"Setup refuses a file with a setting that the component does not have (0x80220001, \"A component or setting specified in \
the answer file does not exist\"). Usual causes: a slip in the name, or a setting in the wrong component: RunSynchronous \
belongs to Microsoft-Windows-Deployment, not to Shell-Setup.

The catalogue knows the reference up to the newest Windows. A component that it does not know is only a warning."
"U007" "a setting in a pass where it is not read"
"Each setting is read in certain passes only. In others Setup usually leaves it out without a word: ComputerName in \
oobeSystem, OOBE in specialize, International-Core in windowsPE (where International-Core-WinPE is read)."
"U008" "a value that the setting does not take"
"Setup checks types, lengths, ranges and words before a pass begins, and refuses the whole file (0x80220005, \"Value is \
invalid\"). Some settings forbid an empty element: leave it out instead. The path of a RunSynchronous command has at most \
259 characters."
"U009" "an item of a list is not complete, or there are two of it"
"Items carry `wcm:action=\"add\"`, and something that tells them apart: an Order from 1 to 500, a Name, or the attribute \
`wcm:keyValue`. Two items with the same key are one and the same to Setup. Disks, images and commands are in daily use \
without the action where none of them has it."
"U010" "a computer name that Windows does not take, or that all machines would share"
"A name has at most 15 letters, digits and hyphens, and not only digits. `*` gives a random name that begins with up to \
seven letters of the registered organization. In an image a fixed name is given to every machine made of it."
"U011" "an unknown time zone"
"TimeZone takes the id that `tzutil /l` prints, such as `Korea Standard Time`; neither the display name `(UTC+09:00) \
Seoul` nor an IANA name such as `Asia/Seoul`. Setup logs \"Unknown time zone\" and goes on with the default. In a spec an \
IANA name may be written; it is translated."
"U012" "a language or keyboard that Windows does not know"
"Locales are tags such as `ko-KR`, with a hyphen; the United Kingdom is `en-GB`. InputLocale also takes pairs of language \
and keyboard such as `0412:00000412`, several separated by semicolons. UILanguage must be installed in the image."
"U013" "an obscured password that Setup cannot read, or reads otherwise"
"With `<PlainText>false</PlainText>` the value is base64 of the UTF-16 text of the password and a suffix: \
`AdministratorPassword` in that element, `OfflineAdministratorPassword` in its offline twin, `Password` everywhere else. \
A value that cannot be decoded ends the oobeSystem pass with 0x8030000b."
"U014" "settings that shut each other out"
"ExtendOSPartition takes Extend or Size; a partition has a Size or extends; a machine joins a domain or a workgroup, or \
comes with provisioning data; an image goes to a named partition or to any. With both, Setup stops."
"U015" "a setting that is outdated or risky"
"It works, or does nothing; but there is a better way, or a price. SkipMachineOOBE and SkipUserOOBE have been deprecated \
since Windows 8, though many clouds' files still use them; prefer the Hide… settings, the four locales and a password."
"U016" "the first boot would stop and wait for somebody"
"A server without AdministratorPassword and without HideLocalAccountScreen asks for a password. Without HideEULAPage the \
licence terms are shown. Language and region are asked for unless InputLocale, SystemLocale, UILanguage and UserLocale \
are all given in oobeSystem. A machine in a cloud has nobody to answer."
"U017" "a command that will not do what it looks like"
"Setup starts commands without a shell, as SYSTEM, and takes line breaks as part of them. They must not restart the \
machine themselves: set WillReboot. With OnRequest, exit code 1 restarts and goes on, 2 restarts and repeats, and any \
other code but 0 ends Setup; a command that always returns 2 restarts the machine for ever."
"U018" "a password that anybody can read"
"Obscured or not, a password in an answer file is readable by everybody who has the file or a machine made of the image: \
copies stay in C:\\Windows\\Panther. Let the cloud's agent set a password at boot."
"U019" "settings of one machine in an image for many"
"Static addresses, DNS servers and domain joins are carried out by every machine made of the image."
"U020" "automatic log-on without a count"
"Without LogonCount Windows logs the account on at every start. Windows adds one to a count above 0."
"U021" "text where elements belong, or the other way round"
"For example `<ProductKey>` of Microsoft-Windows-Setup takes an element `Key`, while that of Shell-Setup takes the key \
itself; a password takes `Value` and `PlainText`."
"U022" "a name in other letters than the reference's"
"Setup does not regard case in names. It is said so that a search finds the setting."
"U023" "a setting that this version of Windows does not know"
"Older Setups refuse settings that came later (0x80220001): OEMInformation/SupportProvider stops Windows Server 2016."
"U024" "Windows would be installed where it cannot be"
"Partitions are numbered in the order of their creation, from 1. InstallTo must name a primary one that exists, not the \
EFI system partition and not the reserved one."
"U025" "an account that cannot be made or used"
"A name has at most 20 characters and none of `\" / \\ [ ] : ; | = , + * ? < > @ %`, and is not the computer's. The \
password of an automatic log-on must be the account's."
"U026" "a product key of another edition"
"A key that does not fit the image's edition ends the specialize pass. The public KMS client keys are known here."
"U027" "a copy that Setup has already worked on"
"In %WINDIR%\\Panther Setup marks passes as done and replaces secrets by `*SENSITIVE*DATA*DELETED*`. Such a copy does not \
work again; use the file that it was made of."
"U028" "something that the reference asks for is missing"
"The element makes no sense without this child."
"U101" "two options say different things"
"A typed section and `set:`, or two sections, set the same thing. `set:` wins."
"U102" "a value cannot be put into the file"
"Its secret could not be had, or it holds characters that XML does not allow."
"U104" "a password in an image"
"Whoever can start a machine from the image can read it, obscured or not. Let the cloud's agent set one at boot; if one \
is needed, take a random one and have it replaced.

A password may not be written out in a spec, where it would also get into plans and journals: declare a variable with \
`sensitive: true` and write `${name}`."
"U105" "the file cannot be put together"
"This is a fault of this program; please report it with the base file, its secrets removed."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_sorted_and_full() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(
            CODES
                .iter()
                .all(|page| page.text.len() > 40 && !page.title.ends_with('.'))
        );
    }
}
