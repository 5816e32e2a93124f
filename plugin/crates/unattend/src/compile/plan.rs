//! From the typed options to wants.

use reseal_diag::{Diagnostic, nearest};

use super::Problem;
use super::json;
use super::want::{Body, Content, Element, Text, Want};
use crate::catalogue::{ZoneName, find_zone, kms_key, kms_keys};
use crate::options::{
    AutoLogon, FirewallGroup, FirstLogonCommand, LocalAccount, NetworkLocation, Options, Password, PasswordForm,
    ProductKey, RemoteDesktop, SetupCommand,
};
use crate::target::Pass;

const SHELL: &str = "Microsoft-Windows-Shell-Setup";
const INTERNATIONAL: &str = "Microsoft-Windows-International-Core";
const DEPLOYMENT: &str = "Microsoft-Windows-Deployment";
const FIREWALL: &str = "Networking-MPSSVC-Svc";
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";
const STATIONS: &str = "Microsoft-Windows-TerminalServices-RDP-WinStationExtensions";

/// All wants of the options, and what is wrong with the options themselves.
pub(super) struct Plan {
    pub(super) wants: Vec<Want>,
    pub(super) problems: Vec<Problem>,
}

/// Reads the options.
pub(super) fn plan(options: &Options) -> Plan {
    let mut plan = Plan {
        wants: Vec::new(),
        problems: Vec::new(),
    };
    plan.oobe(options);
    plan.international(options);
    plan.identity(options);
    plan.accounts(options);
    plan.commands(options);
    plan.network(options);
    plan.licence(options);
    for (pass, components) in &options.set {
        for (component, value) in components {
            json::read(*pass, component, value, &mut plan.wants, &mut plan.problems);
        }
    }
    plan.conflicts();
    plan
}

impl Plan {
    fn text(&mut self, option: &str, pass: Pass, component: &str, path: &str, text: Text) {
        self.wants.push(Want {
            option: option.to_owned(),
            pass,
            component: component.to_owned(),
            architecture: None,
            path: path.split('/').map(str::to_owned).collect(),
            content: Content::Text(text),
        });
    }

    fn plain(&mut self, option: &str, pass: Pass, component: &str, path: &str, text: &dyn ToString) {
        self.text(option, pass, component, path, Text::plain(text.to_string()));
    }

    fn item(&mut self, option: String, pass: Pass, component: &str, list: &str, item: Element) {
        self.wants.push(Want {
            option,
            pass,
            component: component.to_owned(),
            architecture: None,
            path: list.split('/').map(str::to_owned).collect(),
            content: Content::Item(item),
        });
    }

    fn complain(&mut self, option: &str, diagnostic: Diagnostic) {
        self.problems.push(Problem::option(option, diagnostic));
    }

    fn oobe(&mut self, options: &Options) {
        let oobe = options.oobe.clone().unwrap_or_default();
        let switches = [
            ("hide_eula_page", "HideEULAPage", oobe.hide_eula_page),
            (
                "hide_local_account_screen",
                "HideLocalAccountScreen",
                oobe.hide_local_account_screen,
            ),
            (
                "hide_oem_registration_screen",
                "HideOEMRegistrationScreen",
                oobe.hide_oem_registration_screen,
            ),
            (
                "hide_online_account_screens",
                "HideOnlineAccountScreens",
                oobe.hide_online_account_screens,
            ),
            (
                "hide_wireless_setup",
                "HideWirelessSetupInOOBE",
                oobe.hide_wireless_setup,
            ),
            ("skip_machine_oobe", "SkipMachineOOBE", oobe.skip_machine_oobe),
            ("skip_user_oobe", "SkipUserOOBE", oobe.skip_user_oobe),
        ];
        for (option, name, value) in switches {
            if let Some(value) = value {
                self.plain(
                    &format!("/oobe/{option}"),
                    Pass::OobeSystem,
                    SHELL,
                    &format!("OOBE/{name}"),
                    &value,
                );
            }
        }
        if let Some(value) = oobe.protect_your_pc {
            self.plain(
                "/oobe/protect_your_pc",
                Pass::OobeSystem,
                SHELL,
                "OOBE/ProtectYourPC",
                &value,
            );
        }
        self.network_location(oobe.network_location.map(NetworkLocation::word), options);
    }

    fn network_location(&mut self, inner: Option<&str>, options: &Options) {
        let outer = options.network_location.map(NetworkLocation::word);
        if let (Some(inner), Some(outer)) = (inner, outer)
            && inner != outer
        {
            let message = format!("`oobe.network_location` says `{inner}`, and this says `{outer}`");
            self.complain(
                "/network_location",
                Diagnostic::error("U101", message).help("keep one of them"),
            );
        }
        let option = if inner.is_some() {
            "/oobe/network_location"
        } else {
            "/network_location"
        };
        if let Some(word) = inner.or(outer) {
            self.plain(option, Pass::OobeSystem, SHELL, "OOBE/NetworkLocation", &word);
        }
    }

    fn international(&mut self, options: &Options) {
        let Some(international) = &options.international else {
            return;
        };
        let locales = [
            ("input_locale", "InputLocale", &international.input_locale),
            ("system_locale", "SystemLocale", &international.system_locale),
            ("ui_language", "UILanguage", &international.ui_language),
            (
                "ui_language_fallback",
                "UILanguageFallback",
                &international.ui_language_fallback,
            ),
            ("user_locale", "UserLocale", &international.user_locale),
        ];
        for (option, name, value) in locales {
            if let Some(value) = value {
                self.plain(
                    &format!("/international/{option}"),
                    Pass::OobeSystem,
                    INTERNATIONAL,
                    name,
                    &value,
                );
            }
        }
    }

    fn identity(&mut self, options: &Options) {
        if let Some(zone) = &options.time_zone {
            let id = match find_zone(zone) {
                Some(ZoneName::Id(zone) | ZoneName::Iana(zone)) => zone.id,
                None => zone,
            };
            self.plain("/time_zone", Pass::OobeSystem, SHELL, "TimeZone", &id);
        }
        if let Some(name) = &options.computer_name {
            self.computer_name(name, options);
        }
        if let Some(owner) = &options.registered_owner {
            self.plain("/registered_owner", Pass::OobeSystem, SHELL, "RegisteredOwner", &owner);
        }
        if let Some(organization) = &options.registered_organization {
            let option = "/registered_organization";
            self.plain(option, Pass::OobeSystem, SHELL, "RegisteredOrganization", &organization);
        }
        if let Some(keep) = options.do_not_clean_task_bar {
            self.plain(
                "/do_not_clean_task_bar",
                Pass::Specialize,
                SHELL,
                "DoNotCleanTaskBar",
                &keep,
            );
        }
        if let Some(keep) = options.persist_drivers {
            let component = "Microsoft-Windows-PnpSysprep";
            self.plain(
                "/persist_drivers",
                Pass::Generalize,
                component,
                "PersistAllDeviceInstalls",
                &keep,
            );
        }
    }

    /// A random name begins with up to seven letters of the registered organization; that is the only pattern that
    /// Setup can follow.
    fn computer_name(&mut self, name: &str, options: &Options) {
        let option = "/computer_name";
        let Some(prefix) = name.strip_suffix('*') else {
            self.plain(option, Pass::Specialize, SHELL, "ComputerName", &name);
            return;
        };
        self.plain(option, Pass::Specialize, SHELL, "ComputerName", &"*");
        let prefix = prefix.trim_end_matches('-');
        if prefix.is_empty() {
            return;
        }
        if prefix.len() > 7 || !prefix.chars().all(|c| c.is_ascii_alphanumeric()) {
            let diagnostic = Diagnostic::error("U010", format!("`{prefix}` cannot begin a random computer name"))
                .help("seven letters and digits at most can; Windows adds a hyphen and the random rest");
            return self.complain(option, diagnostic);
        }
        match &options.registered_organization {
            Some(other) if !other.starts_with(prefix) => {
                let message = format!("a random name begins with the registered organization, which is `{other}`");
                self.complain(
                    option,
                    Diagnostic::error("U101", message).help("leave out one of the two"),
                );
            }
            _ => self.plain(option, Pass::Specialize, SHELL, "RegisteredOrganization", &prefix),
        }
    }

    fn accounts(&mut self, options: &Options) {
        if let Some(password) = &options.administrator_password {
            let option = "/administrator_password";
            self.password(option, "UserAccounts/AdministratorPassword", password);
            self.warn_of_password(option, password);
        }
        for (index, account) in options.local_accounts.iter().enumerate() {
            self.local_account(&format!("/local_accounts/{index}"), account);
        }
        if let Some(logon) = &options.auto_logon {
            self.auto_logon(logon);
        }
    }

    fn password(&mut self, option: &str, path: &str, password: &Password) {
        let element = path.rsplit('/').next().unwrap_or(path);
        let (plain, value) = password_texts(password, element);
        let value_option = format!("{option}/value");
        self.plain(option, Pass::OobeSystem, SHELL, &format!("{path}/PlainText"), &plain);
        self.text(&value_option, Pass::OobeSystem, SHELL, &format!("{path}/Value"), value);
    }

    /// Both forms can be read by everybody who has the image.
    fn warn_of_password(&mut self, option: &str, password: &Password) {
        let how = match password.form {
            PasswordForm::Obscured => "only obscured",
            PasswordForm::Plain => "plainly",
        };
        let diagnostic = Diagnostic::warning("U104", format!("the password stands {how} in the image")).help(
            "everybody who can start a machine from the image can read it; let the cloud's agent set one instead",
        );
        self.complain(option, diagnostic);
    }

    fn local_account(&mut self, option: &str, account: &LocalAccount) {
        let mut children = Vec::new();
        let texts = [
            ("Description", &account.description),
            ("DisplayName", &account.display_name),
        ];
        for (name, text) in texts {
            children.extend(text.as_ref().map(|text| Element::leaf(name, text)));
        }
        if !account.groups.is_empty() {
            children.push(Element::leaf("Group", account.groups.join(";")));
        }
        children.push(Element::leaf("Name", &account.name));
        if let Some(password) = &account.password {
            let (plain, value) = password_texts(password, "Password");
            let inner = vec![
                Element::leaf("PlainText", plain.to_string()),
                Element::with("Value", Body::Text(value)),
            ];
            children.push(Element::with("Password", Body::Elements(inner)));
            self.warn_of_password(&format!("{option}/password"), password);
        }
        let item = Element::item("LocalAccount", children);
        self.item(
            option.to_owned(),
            Pass::OobeSystem,
            SHELL,
            "UserAccounts/LocalAccounts",
            item,
        );
    }

    fn auto_logon(&mut self, logon: &AutoLogon) {
        let at = |name: &str| format!("/auto_logon/{name}");
        if let Some(domain) = &logon.domain {
            self.plain(&at("domain"), Pass::OobeSystem, SHELL, "AutoLogon/Domain", &domain);
        }
        self.plain("/auto_logon", Pass::OobeSystem, SHELL, "AutoLogon/Enabled", &true);
        self.plain(
            &at("count"),
            Pass::OobeSystem,
            SHELL,
            "AutoLogon/LogonCount",
            &logon.count,
        );
        if let Some(password) = &logon.password {
            self.password(&at("password"), "AutoLogon/Password", password);
            self.warn_of_password(&at("password"), password);
        }
        self.plain(
            &at("username"),
            Pass::OobeSystem,
            SHELL,
            "AutoLogon/Username",
            &&logon.username,
        );
    }

    fn commands(&mut self, options: &Options) {
        let lists = [
            ("run_synchronous", "RunSynchronous", &options.run_synchronous),
            ("run_asynchronous", "RunAsynchronous", &options.run_asynchronous),
        ];
        for (option, list, commands) in lists {
            for (index, command) in commands.iter().enumerate() {
                let option = format!("/{option}/{index}");
                self.item(option, Pass::Specialize, DEPLOYMENT, list, setup_command(list, command));
            }
        }
        for (index, command) in options.first_logon_commands.iter().enumerate() {
            let option = format!("/first_logon_commands/{index}");
            self.item(
                option,
                Pass::OobeSystem,
                SHELL,
                "FirstLogonCommands",
                logon_command(command),
            );
        }
        for (index, command) in options.run_asynchronous.iter().enumerate() {
            if command.will_reboot.is_some() {
                let message = "Setup does not wait for this command, so it cannot say whether Windows restarts";
                let help = "leave out `will_reboot`, or use `run_synchronous`";
                let diagnostic = Diagnostic::error("U006", message).help(help);
                self.complain(&format!("/run_asynchronous/{index}/will_reboot"), diagnostic);
            }
        }
    }

    fn network(&mut self, options: &Options) {
        if let Some(rdp) = &options.rdp {
            self.remote_desktop(rdp);
        }
        let Some(firewall) = &options.firewall else { return };
        let profiles = [
            ("domain", "DomainProfile_EnableFirewall", firewall.domain),
            ("private", "PrivateProfile_EnableFirewall", firewall.private),
            ("public", "PublicProfile_EnableFirewall", firewall.public),
        ];
        for (option, name, value) in profiles {
            if let Some(value) = value {
                self.plain(&format!("/firewall/{option}"), Pass::Specialize, FIREWALL, name, &value);
            }
        }
        for (index, group) in firewall.groups.iter().enumerate() {
            let option = format!("/firewall/groups/{index}");
            self.item(
                option,
                Pass::Specialize,
                FIREWALL,
                "FirewallGroups",
                firewall_group(group),
            );
        }
    }

    fn remote_desktop(&mut self, rdp: &RemoteDesktop) {
        self.plain(
            "/rdp/enabled",
            Pass::Specialize,
            SESSIONS,
            "fDenyTSConnections",
            &!rdp.enabled,
        );
        if let Some(nla) = rdp.network_level_authentication {
            let option = "/rdp/network_level_authentication";
            self.plain(option, Pass::Specialize, STATIONS, "UserAuthentication", &u8::from(nla));
        }
        let group = FirewallGroup {
            group: "remote_desktop".to_owned(),
            active: rdp.enabled,
            profile: crate::options::FirewallProfile::All,
        };
        let item = firewall_group(&group);
        self.item(
            "/rdp/enabled".to_owned(),
            Pass::Specialize,
            FIREWALL,
            "FirewallGroups",
            item,
        );
    }

    fn licence(&mut self, options: &Options) {
        let (option, text) = match &options.product_key {
            None => return,
            Some(ProductKey::Key(key)) => ("/product_key/key", Text::secret(key)),
            Some(ProductKey::Kms(edition)) => match kms_key(edition) {
                Some(key) => ("/product_key/kms", Text::plain(key.key)),
                None => return self.unknown_edition(edition),
            },
        };
        self.text(option, Pass::Specialize, SHELL, "ProductKey", text);
    }

    fn unknown_edition(&mut self, edition: &str) {
        let known = kms_keys().iter().map(|key| key.edition);
        let diagnostic = Diagnostic::error("U026", format!("no KMS client key is known for `{edition}`"));
        let diagnostic = match nearest(edition, known.clone()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("known are {}", known.collect::<Vec<_>>().join(", "))),
        };
        self.complain("/product_key/kms", diagnostic);
    }

    /// `set` comes last and wins; saying the same thing in two places deserves a word.
    fn conflicts(&mut self) {
        let mut problems = Vec::new();
        for (index, late) in self.wants.iter().enumerate() {
            if matches!(late.content, Content::Item(_)) {
                continue;
            }
            let early = self
                .wants
                .iter()
                .take(index)
                .find(|early| !matches!(early.content, Content::Item(_)) && early.same_place(late));
            if let Some(early) = early {
                let message = format!(
                    "this overrides `{}`",
                    early.option.trim_start_matches('/').replace('/', ".")
                );
                problems.push(Problem::option(&late.option, Diagnostic::warning("U101", message)));
            }
        }
        self.problems.append(&mut problems);
    }
}

fn password_texts(password: &Password, element: &str) -> (bool, Text) {
    let plain = password.form == PasswordForm::Plain;
    let element = crate::password::suffix(element);
    let value = Text {
        obscured: (!plain).then_some(element),
        ..Text::secret(&password.value)
    };
    (plain, value)
}

fn order(order: Option<u16>) -> Element {
    match order {
        Some(order) => Element::leaf("Order", order.to_string()),
        None => Element::with("Order", Body::NextOrder),
    }
}

fn setup_command(list: &str, command: &SetupCommand) -> Element {
    let mut children = Vec::new();
    children.extend(
        command
            .description
            .as_ref()
            .map(|text| Element::leaf("Description", text)),
    );
    children.push(order(command.order));
    children.push(Element::leaf("Path", &command.command));
    if list == "RunSynchronous" {
        children.extend(command.will_reboot.map(|when| Element::leaf("WillReboot", when.word())));
    }
    Element::item(&format!("{list}Command"), children)
}

fn logon_command(command: &FirstLogonCommand) -> Element {
    let mut children = vec![Element::leaf("CommandLine", &command.command)];
    children.extend(
        command
            .description
            .as_ref()
            .map(|text| Element::leaf("Description", text)),
    );
    children.push(order(command.order));
    let input = command.requires_user_input;
    children.extend(input.map(|input| Element::leaf("RequiresUserInput", input.to_string())));
    Element::item("SynchronousCommand", children)
}

fn firewall_group(group: &FirewallGroup) -> Element {
    let (key, name) = match group.group.as_str() {
        "remote_desktop" => ("RemoteDesktop".to_owned(), "@FirewallAPI.dll,-28752"),
        "file_and_printer_sharing" => ("FileAndPrinterSharing".to_owned(), "@FirewallAPI.dll,-28502"),
        "windows_remote_management" => ("WindowsRemoteManagement".to_owned(), "@FirewallAPI.dll,-30267"),
        other => (other.chars().filter(char::is_ascii_alphanumeric).collect(), other),
    };
    let children = vec![
        Element::leaf("Active", group.active.to_string()),
        Element::leaf("Group", name),
        Element::leaf("Profile", group.profile.word()),
    ];
    Element {
        key_value: Some(if key.is_empty() { "Group".to_owned() } else { key }),
        ..Element::item("FirewallGroup", children)
    }
}
