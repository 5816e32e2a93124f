//! The answer file as Windows Setup reads it at a clone's first boot: unforgiving, and late.
//!
//! Written against the reference, independently of whatever wrote the file. The catalogue in `data/settings.txt` has
//! one line for each setting: component, path, passes, type, limits.

use std::collections::BTreeSet;

use jiff::Timestamp;
use roxmltree::{Document, Node};

use super::answer_read::{read, reveal, text_of};
use super::cloudbase::good_password;
use crate::winrm::bytes::from_utf16le;

pub(super) const NS: &str = "urn:schemas-microsoft-com:unattend";
const WCM: &str = "http://schemas.microsoft.com/WMIConfig/2002/State";
const SETTINGS: &str = include_str!("data/settings.txt");
const TIME_ZONES: &str = include_str!("data/time-zones.txt");
const FILE: &str = "C:\\Windows\\Panther\\unattend.xml";
const PASSES: [&str; 7] = [
    "windowsPE",
    "offlineServicing",
    "generalize",
    "specialize",
    "auditSystem",
    "auditUser",
    "oobeSystem",
];

/// Why Setup stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The dialog on the console.
    pub dialog: String,
    /// The result in the log.
    pub hr: u32,
    /// Component and path, for the log.
    pub source: String,
    /// Whether it is the oobeSystem pass that fails, instead of specialize.
    pub oobe: bool,
}

impl Rejection {
    /// The lines that Setup writes.
    pub fn log(&self, at: Timestamp) -> String {
        let stamp = at.strftime("%Y-%m-%d %H:%M:%S");
        let words = match self.hr {
            0x8022_0001 => "Setting is not defined in this component.",
            0x8022_0005 => "Value is invalid.",
            0x8022_001b => "The same namespace should not appear twice in a single settings section.",
            _ => "The unattend answer file cannot be used.",
        };
        format!(
            "{stamp}, Error                        [setup.exe] SMI data results dump: Source = {}\r\n\
             {stamp}, Error                        [setup.exe] SMI data results dump: Description = {words}\r\n\
             {stamp}, Error      [0x060432] IBS    The provided unattend file is not valid; hrResult = 0x{:08x}\r\n\
             {stamp}, Error                        [windeploy.exe] Setup.exe failed, returning exit code [0x1f]\r\n",
            self.source, self.hr
        )
    }
}

/// What the answer file says, as far as the lab acts on it.
#[expect(clippy::struct_excessive_bools, reason = "as many switches as the file has")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// `ComputerName`, unless it is `*`.
    pub computer_name: Option<String>,
    /// `TimeZone`.
    pub time_zone: Option<String>,
    /// `SystemLocale`.
    pub system_locale: Option<String>,
    /// `UserLocale`.
    pub user_locale: Option<String>,
    /// `UILanguage`.
    pub ui_language: Option<String>,
    /// `InputLocale`.
    pub input_locale: Option<String>,
    /// `AdministratorPassword`.
    pub administrator_password: Option<String>,
    /// `LocalAccounts`: names and passwords.
    pub local_accounts: Vec<(String, String)>,
    /// `CopyProfile`.
    pub copy_profile: bool,
    /// Whether a synchronous command starts Cloudbase-Init in specialize.
    pub cloudbase_in_specialize: bool,
    /// `SkipMachineOOBE`.
    pub skip_machine_oobe: bool,
    /// `HideEULAPage`.
    pub hide_eula: bool,
    /// `HideLocalAccountScreen`.
    pub hide_local_account: bool,
}

impl Answer {
    /// The page at which OOBE would wait for a person, if any.
    pub fn would_ask(&self, desktop: bool, cloudbase: bool) -> Option<&'static str> {
        if self.skip_machine_oobe || !desktop {
            return None;
        }
        let locales = [
            &self.input_locale,
            &self.system_locale,
            &self.ui_language,
            &self.user_locale,
        ];
        if locales.iter().any(|locale| locale.is_none()) {
            return Some("language and region");
        }
        if !self.hide_eula {
            return Some("licence terms");
        }
        let password = self.administrator_password.is_some() || (self.hide_local_account && cloudbase);
        (!password).then_some("the Administrator's password")
    }
}

type Found = Result<(), Rejection>;

/// Reads and checks an answer file for a build of Windows.
///
/// # Errors
/// What Setup stops with; mistakes of the specialize pass come first.
pub fn check(bytes: &[u8], build: u32) -> Result<Answer, Rejection> {
    let text = text(bytes).ok_or_else(|| malformed(1, 1))?;
    let document = Document::parse(&text).map_err(|error| malformed(error.pos().row, error.pos().col))?;
    let root = document.root_element();
    if !root.has_tag_name((NS, "unattend")) {
        return Err(malformed(1, 1));
    }
    let mut seen = BTreeSet::new();
    let mut settings: Vec<_> = root
        .children()
        .filter(|node| node.has_tag_name((NS, "settings")))
        .collect();
    settings.sort_by_key(|node| node.attribute("pass") == Some("oobeSystem"));
    for node in &settings {
        let pass = node
            .attribute("pass")
            .filter(|pass| PASSES.contains(pass))
            .unwrap_or_default();
        if pass.is_empty() || !seen.insert(pass) {
            return Err(invalid(pass));
        }
        check_pass(*node, pass, build)?;
    }
    Ok(read(&settings))
}

/// A rejection of a kind that a fault names.
pub fn rejection_of_kind(kind: &str) -> Rejection {
    let shell = "Name: Microsoft-Windows-Shell-Setup";
    match kind {
        "malformed" => malformed(37, 1),
        "duplicate" => twice("specialize", shell),
        "unknown-setting" => unknown("specialize", shell),
        "password" => Rejection {
            hr: 0x8030_000b,
            oobe: true,
            ..handler("oobeSystem", "Microsoft-Windows-Shell-Setup")
        },
        "product-key" => handler("specialize", "Microsoft-Windows-Shell-Setup"),
        _ => invalid("specialize"),
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    if let Some(utf16) = bytes.strip_prefix(b"\xff\xfe") {
        return from_utf16le(utf16);
    }
    if bytes.starts_with(b"\xfe\xff") {
        let swapped: Vec<u8> = bytes
            .get(2..)?
            .as_chunks::<2>()
            .0
            .iter()
            .flat_map(|[a, b]| [*b, *a])
            .collect();
        return from_utf16le(&swapped);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).ok().map(ToOwned::to_owned)
}

fn malformed(row: u32, column: u32) -> Rejection {
    let dialog = format!(
        "Windows could not parse or process unattend answer file [{FILE}]. The answer file is invalid. The error was \
         detected at line {row} column {column} of the answer file."
    );
    Rejection {
        dialog,
        hr: 0x8022_0003,
        source: FILE.to_owned(),
        oobe: false,
    }
}

fn rejection(pass: &str, source: &str, hr: u32, words: &str) -> Rejection {
    let dialog = format!("Windows could not parse or process unattend answer file [{FILE}] for pass [{pass}]. {words}");
    Rejection {
        dialog,
        hr,
        source: source.to_owned(),
        oobe: pass == "oobeSystem",
    }
}

fn invalid(pass: &str) -> Rejection {
    rejection(pass, FILE, 0x8022_0005, "The answer file is invalid.")
}

fn value(pass: &str, source: &str) -> Rejection {
    rejection(pass, source, 0x8022_0005, "The answer file is invalid.")
}

fn twice(pass: &str, source: &str) -> Rejection {
    let words = "A component or non-list setting is specified more than once in the answer file.";
    rejection(pass, source, 0x8022_001b, words)
}

fn unknown(pass: &str, source: &str) -> Rejection {
    let words = "A component or setting specified in the answer file does not exist.";
    rejection(pass, source, 0x8022_0001, words)
}

fn handler(pass: &str, component: &str) -> Rejection {
    let words = format!(
        "The settings specified in the answer file cannot be applied. The error was detected while processing settings \
         for component [{component}]."
    );
    rejection(pass, &format!("Name: {component}"), 0x8007_001f, &words)
}

fn check_pass(settings: Node<'_, '_>, pass: &str, build: u32) -> Found {
    let mut seen = BTreeSet::new();
    for component in settings.children().filter(Node::is_element) {
        if !component.has_tag_name((NS, "component")) {
            return Err(invalid(pass));
        }
        let attribute = |name| component.attribute(name).unwrap_or_default();
        let (name, architecture) = (attribute("name"), attribute("processorArchitecture"));
        let identity = attribute("publicKeyToken") == "31bf3856ad364e35"
            && attribute("language") == "neutral"
            && attribute("versionScope").eq_ignore_ascii_case("nonSxS");
        let source = format!("Name: {name}, ProcessorArchitecture: {architecture}");
        if !identity || !["amd64", "wow64"].contains(&architecture) || !known_component(name) {
            return Err(unknown(pass, &source));
        }
        if !seen.insert((name.to_owned(), architecture.to_owned())) {
            return Err(twice(pass, &source));
        }
        let at = At {
            component: name,
            pass,
            build,
        };
        check_children(component, &at, "")?;
    }
    Ok(())
}

struct At<'a> {
    component: &'a str,
    pass: &'a str,
    build: u32,
}

impl At<'_> {
    fn source(&self, path: &str) -> String {
        format!(
            "Name: {}, ProcessorArchitecture: amd64, /settings/{path}",
            self.component
        )
    }

    fn letter(&self) -> &'static str {
        match self.pass {
            "generalize" => "G",
            "specialize" => "S",
            "oobeSystem" => "O",
            _ => "",
        }
    }
}

struct Setting {
    passes: &'static str,
    kind: &'static str,
    limits: &'static str,
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, Setting)> {
    SETTINGS.lines().filter_map(|line| {
        let mut fields = line.split('|');
        let mut next = || fields.next();
        let (component, path, passes, kind) = (next()?, next()?, next()?, next()?);
        Some((
            component,
            path,
            Setting {
                passes,
                kind,
                limits: next().unwrap_or_default(),
            },
        ))
    })
}

fn known_component(name: &str) -> bool {
    // International-Core and its neighbours have settings in the catalogue; so has every component that can be met in
    // the passes of a generalized image.
    rows().any(|(component, ..)| component == name)
}

fn check_children(node: Node<'_, '_>, at: &At<'_>, path: &str) -> Found {
    let mut names = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for child in node.children() {
        if child.is_text()
            && !child.text().unwrap_or_default().trim().is_empty()
            && node.children().any(|c| c.is_element())
        {
            return Err(value(at.pass, &at.source(path)));
        }
        if !child.is_element() {
            continue;
        }
        let name = child.tag_name().name();
        let inner = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        let listed = child.attribute((WCM, "action")).is_some();
        if child.tag_name().namespace() != Some(NS) || (!listed && !names.insert(name)) {
            return Err(twice(at.pass, &at.source(&inner)));
        }
        let key = child
            .attribute((WCM, "keyValue"))
            .or_else(|| text_of(child, "Order"))
            .or_else(|| text_of(child, "Name"));
        if listed && key.is_some_and(|key| !keys.insert(key.trim().to_owned())) {
            return Err(twice(at.pass, &at.source(&inner)));
        }
        check_setting(child, at, &inner)?;
    }
    Ok(())
}

fn check_setting(node: Node<'_, '_>, at: &At<'_>, path: &str) -> Found {
    let below = format!("{path}/");
    let mut inside = rows().filter(|(component, row, _)| *component == at.component && row.starts_with(&below));
    if node.children().any(|child| child.is_element()) || inside.next().is_some() {
        let known = rows().any(|(component, row, _)| component == at.component && row.starts_with(&below));
        return if known {
            check_children(node, at, path)
        } else {
            Err(unknown(at.pass, &at.source(path)))
        };
    }
    let row = rows().find(|(component, row, _)| *component == at.component && *row == path);
    let Some((_, _, setting)) = row else {
        return Err(unknown(at.pass, &at.source(path)));
    };
    if path.ends_with("SupportProvider") && at.build < 17_763 {
        return Err(unknown(at.pass, &at.source(path)));
    }
    // A setting in a pass that is not its own is passed over in silence.
    if !setting.passes.split(' ').any(|pass| pass == at.letter()) {
        return Ok(());
    }
    let text = node.text().unwrap_or_default();
    if fits(text, &setting) && fits_meaning(text, path) {
        Ok(())
    } else {
        Err(value(at.pass, &at.source(path)))
    }
}

fn fits(text: &str, setting: &Setting) -> bool {
    let kind = setting.kind;
    let typed = match kind.split(' ').next().unwrap_or_default() {
        "bool" => matches!(text.trim(), "true" | "false" | "True" | "False" | "1" | "0"),
        "int" => text.trim().parse::<i64>().is_ok(),
        "enum" => kind
            .split(['{', '}'])
            .nth(1)
            .is_some_and(|words| words.split(',').any(|word| word == text.trim())),
        _ => true,
    };
    typed && setting.limits.split(';').all(|limit| within(text, limit.trim()))
}

fn within(text: &str, limit: &str) -> bool {
    if limit == "no-empty" {
        return !text.is_empty();
    }
    if let Some(most) = limit.strip_prefix("max ").and_then(|most| most.parse::<usize>().ok()) {
        return text.encode_utf16().count() <= most;
    }
    match limit
        .split_once('-')
        .map(|(low, high)| (low.parse::<i64>(), high.parse::<i64>()))
    {
        Some((Ok(low), Ok(high))) => text
            .trim()
            .parse()
            .is_ok_and(|number: i64| (low..=high).contains(&number)),
        _ => true,
    }
}

fn fits_meaning(text: &str, path: &str) -> bool {
    match path {
        "TimeZone" => TIME_ZONES.lines().any(|zone| zone == text),
        "ComputerName" => {
            let forbidden = "{|}~[\\]^':;<=>?@!\"#$%`()+/.,& ";
            text == "*" || !text.contains(|letter: char| forbidden.contains(letter) || letter == '*')
        }
        "InputLocale" | "SystemLocale" | "UILanguage" | "UserLocale" => {
            text.is_empty() || text.split(';').all(|one| one.len() >= 2 && !one.contains(' '))
        }
        _ => true,
    }
}

/// Checks that only the oobeSystem pass itself makes: passwords that decode and please the policy.
///
/// # Errors
/// What Setup stops with.
pub fn check_passwords(bytes: &[u8]) -> Found {
    let Some(text) = text(bytes) else { return Ok(()) };
    let Ok(document) = Document::parse(&text) else {
        return Ok(());
    };
    let refuse = || Rejection {
        hr: 0x8030_000b,
        ..handler("oobeSystem", "Microsoft-Windows-Shell-Setup")
    };
    for node in document.descendants().filter(|node| node.has_tag_name((NS, "Value"))) {
        let Some(parent) = node.parent_element() else { continue };
        let (suffix, account) = match parent.tag_name().name() {
            "AdministratorPassword" => ("AdministratorPassword", "Administrator"),
            "Password" => (
                "Password",
                parent
                    .parent_element()
                    .and_then(|node| text_of(node, "Name"))
                    .unwrap_or_default(),
            ),
            _ => continue,
        };
        let password = reveal(node.text().unwrap_or_default(), text_of(parent, "PlainText"), suffix);
        if !password.is_some_and(|password| good_password(&password, account)) {
            return Err(refuse());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOUDBASE: &str = include_str!("data/cloudbase-unattend.xml");

    fn with(text: &str) -> Result<Answer, Rejection> {
        check(CLOUDBASE.replace("<OOBE>", &format!("{text}<OOBE>")).as_bytes(), 20_348)
    }

    #[test]
    fn the_shipped_file_is_good_and_asks_nothing() {
        let answer = check(CLOUDBASE.as_bytes(), 20_348).unwrap();
        assert!(answer.cloudbase_in_specialize && answer.skip_machine_oobe);
        assert_eq!(answer.would_ask(true, true), None);
        assert_eq!(Answer::default().would_ask(true, true), Some("language and region"));
    }

    #[test]
    fn mistakes_are_found_where_setup_finds_them() {
        assert_eq!(
            with("<TimeZone>UTC</TimeZone>").unwrap().time_zone.as_deref(),
            Some("UTC")
        );
        assert_eq!(with("<TimeZone>Asia/Seoul</TimeZone>").unwrap_err().hr, 0x8022_0005);
        assert_eq!(with("<TimeZon>UTC</TimeZon>").unwrap_err().hr, 0x8022_0001);
        let twice = with("<TimeZone>UTC</TimeZone><TimeZone>UTC</TimeZone>").unwrap_err();
        assert_eq!((twice.hr, twice.oobe), (0x8022_001b, true));
        let broken = check(CLOUDBASE.replace("</OOBE>", "").as_bytes(), 20_348).unwrap_err();
        assert!(broken.dialog.contains("at line 17 column"), "{}", broken.dialog);
    }

    #[test]
    fn long_paths_are_refused() {
        let long = CLOUDBASE.replace("exit 2\"</Path>", &format!("exit 2\"{}</Path>", "x".repeat(100)));
        let found = check(long.as_bytes(), 20_348).unwrap_err();
        assert_eq!((found.hr, found.oobe), (0x8022_0005, false));
    }

    #[test]
    fn passwords_must_decode() {
        let file = |value: &str| {
            let password = format!(
                "<UserAccounts><AdministratorPassword><Value>{value}</Value><PlainText>false</PlainText>\
                 </AdministratorPassword></UserAccounts>"
            );
            CLOUDBASE.replace("</OOBE>", &format!("</OOBE>{password}"))
        };
        let good = file("UABhAHMAcwB3ADAAcgBkACEAQQBkAG0AaQBuAGkAcwB0AHIAYQB0AG8AcgBQAGEAcwBzAHcAbwByAGQA");
        assert_eq!(
            check(good.as_bytes(), 20_348)
                .unwrap()
                .administrator_password
                .as_deref(),
            Some("Passw0rd!")
        );
        assert!(check_passwords(good.as_bytes()).is_ok());
        assert!(check_passwords(file("UABhAHMAcwA=").as_bytes()).is_err());
    }
}
