//! The table of codes.

use reseal_diag::CodePage;

macro_rules! pages {
    ($($name:ident = $code:literal, $title:literal, $text:literal;)*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*

        /// All codes with their pages.
        pub const CODES: &[CodePage] = &[$(CodePage { code: $code, title: $title, text: $text }),*];
    };
}

pages! {
    YAML = "spec::yaml", "the text is not YAML",
        "The reader could not make sense of the text. Often the mistake is shortly before the marked place: a quote or
bracket that is not closed, a line that is not indented as its neighbours, or a `:` inside a text without quotes.

    description: IIS: the web server       # wrong: a second `: `
    description: \"IIS: the web server\"     # right

Windows paths are best written in single quotes, where a backslash is only a backslash: 'C:\\Build'.";
    TAB = "spec::tab", "a line is indented with a tab",
        "YAML is indented with spaces only; how wide a tab is, nobody knows. Set your editor to write spaces in `.yaml` files.
Tabs inside texts over several lines are allowed.";
    SEVERAL_DOCUMENTS = "spec::several-documents", "the file holds several documents",
        "A line `---` begins a second document. A spec is one document; for several images write several files, or one with
a `matrix`.";
    ANCHOR = "spec::anchor", "anchors and aliases",
        "`&name` and `*name` copy pieces of a file to other places. In a spec every value stands where it counts, so that a
message about line 41 is about line 41. Use a variable (`${name}`), a `matrix`, or `use:` with a file of steps. A text that
begins with `*` or `&` needs quotes.";
    TAG = "spec::tag", "tags",
        "`!something` before a value changes how YAML reads it. The types of all fields of a spec are known, so a tag can only
be a mistake. A text that begins with `!` needs quotes.";
    MERGE_KEY = "spec::merge-key", "merge keys",
        "`<<: …` merges another mapping into this one. Write the fields out, or use variables: then every value can be found
by looking for its name.";
    COMPLEX_KEY = "spec::complex-key", "a key that is not a word",
        "The key of a mapping is itself a list or a mapping. Mostly a text begins with `{` or `[` and needs quotes, as in
`\"{GUID}\": …`.";
    DUPLICATE_KEY = "spec::duplicate-key", "a key stands twice in the same mapping",
        "YAML readers disagree about which of two equal keys counts, and most say nothing. Keep one of them. Steps that are done
twice are two items of a list, each beginning with `- `.";
    UNKNOWN_FIELD = "spec::unknown-field", "a field that is not known",
        "The mapping has no such field. The message lists the fields that it has; when one of them is nearly the same, it asks
\"did you mean …?\" and shows the change. Fields are written in lower case with `_`.

An unknown field is an error and not ignored: a misspelt `timeout` would otherwise be no timeout.";
    MISSING_FIELD = "spec::missing-field", "a field that must be there",
        "The marked mapping needs this field. A spec needs `reseal`, `name`, `cloud`, `base` and `image`; `base` needs `image`,
`flavor` and `network`; `image` needs `name`.";
    WRONG_TYPE = "spec::wrong-type", "a value of another type",
        "The field takes another kind of value: text, a number, `true` or `false`, a list (`[a, b]`), a mapping (`{ a: b }`).

Text that looks like a number or like `true` needs quotes: versions above all. Without them `1.10` is the number 1.1.

    properties: { os_version: \"2022\" }";
    BAD_VALUE = "spec::bad-value", "a value that is not possible here",
        "The type is right, but the value is not one that the field can have. The message says which are possible, and shows
the change when one is nearly the same.";
    BAD_UNIT = "spec::bad-unit", "an amount without its unit",
        "Sizes are whole numbers with `MB`, `GB` or `TB`, times whole numbers with `h`, `m` or `s`:

    size: 60 GB
    timeout: 20m
    timeout: 1h 30m

1 GB is 1024 MB, as clouds count. A limit of time is at most 30 days.";
    BAD_HASH = "spec::bad-hash", "a SHA-256 that is none",
        "A SHA-256 is written with 64 hexadecimal digits. `sha256sum FILE` prints it on Linux, `Get-FileHash FILE` on Windows.";
    BAD_NAME = "spec::bad-name", "a name with characters that names cannot have",
        "The name of a spec is made of letters, digits, `.`, `_` and `-`, because folders and cloud objects are called after
it. Names of variables and of the lists of a matrix are made of letters, digits and `_`; `build`, `matrix` and `env` are taken.
The name of an image has 1 to 255 characters.";
    VERSION = "spec::version", "another version of the format",
        "The first field of a spec says which version of the format it is written in. This program reads version 1. A spec
with a higher number needs a newer program.";
    UNKNOWN_VARIABLE = "spec::unknown-variable", "a variable that is not declared",
        "`${name}` stands for a variable under `variables`, for `${matrix.NAME}`, or for `${build.id}`, `${build.date}`,
`${build.time}`. The environment is not read: declare a variable and give its value by `RESEAL_VAR_name`.

PowerShell writes variables in the same way. For a literal `${` write `$${`: `$${env:TEMP}`. Scripts in files are never
touched.";
    UNUSED_VARIABLE = "spec::unused-variable", "a variable that is nowhere used",
        "The variable is declared, but no text has `${name}` and no `when` names it. Perhaps a text has its name misspelt, or
it can be removed.";
    UNDECLARED_VARIABLE = "spec::undeclared-variable", "a value for a variable that the spec does not have",
        "`-var` or `-var-file` gives a value to a variable that is not declared under `variables`. On the command line this is
an error; in a file, which several specs may share, it is a warning.";
    MISSING_VALUE = "spec::missing-value", "a variable without a value",
        "The variable has no `default`, and nobody gave a value. Later ones win: `PKR_VAR_name`, `RESEAL_VAR_name`,
`-var-file=FILE`, `-var name=value`. For the variables of a file of steps: `with: { name: value }` beside `use`.";
    VARIABLE_VALUE = "spec::variable-value", "a value that does not fit its variable",
        "The value is not of the variable's `type`, or not one of its `allowed` values. The message does not show the value,
since it may be a secret. Lists are given on the command line with commas between: `-var roles=web,db`.";
    SECRET_IN_SPEC = "spec::secret-in-spec", "a sensitive value in the spec",
        "The spec is kept where others can read it. A sensitive variable has no default there: give the value by the environment
(`RESEAL_VAR_name`) or by a file that stays outside of the repository (`-var-file`).";
    SENSITIVE_PLACE = "spec::sensitive-place", "a sensitive variable in a place that everybody sees",
        "Names, sizes, networks and image properties are shown in plans, logs and in the cloud. A sensitive variable can be used
in `software`, `unattend`, `verify.checks` and as the WinRM account: there it is filled in only at the moment of use.";
    TEMPLATE = "spec::template", "`${` without `}`",
        "`${` begins the name of a variable and needs its `}`. For a literal `${` write `$${`.";
    WHEN = "spec::when", "a condition that cannot be decided",
        "`when` is decided before the build, from variables and the matrix:

    when: matrix.os == \"2022\" && !minimal
    when: lang in [\"KO\", \"JA\"] || debug

There are `==`, `!=`, `in [...]`, `&&`, `||`, `!`, parentheses, texts in quotes, `true`, `false`. Variables are named without
`${}`. For a condition that only the guest can answer use `only_if` with PowerShell.";
    MATRIX = "spec::matrix", "a matrix that makes no builds",
        "A matrix is a mapping of lists; one build is made for each combination of their values:

    matrix: { os: [2019, 2022], lang: [EN, KO] }

The values become part of the build's name (`name.2022-KO`) and can be used as `${matrix.os}`; they are made of letters,
digits, `.` and `_`. A spec makes at most 256 builds.";
    UNKNOWN_STEP = "spec::unknown-step", "a step that does not exist",
        "A step is a mapping with the name of an operation: `- install_msi: { … }`. The message lists all operations; when one
is nearly the same it asks \"did you mean …?\". `name`, `timeout`, `retries`, `on_failure`, `when` and `only_if` may stand
beside the operation or inside its options.";
    SEVERAL_OPERATIONS = "spec::several-operations", "two operations in one step",
        "A step does one thing. Mostly a `- ` is missing before the second operation:

    - install_msi: { … }
    - reboot: {}";
    GIVEN_TWICE = "spec::given-twice", "a field beside the operation and inside it",
        "`name`, `timeout`, `retries`, `on_failure`, `when` and `only_if` may stand beside the operation or inside its options,
but not in both places.";
    USE_CYCLE = "spec::use-cycle", "files of steps that use each other in a circle",
        "`- use: a.yaml` stands for the steps of `a.yaml`; if that file uses, over others, itself, there is no end. The message
shows the circle. Files may be nested 16 deep.";
    MISSING_FILE = "spec::missing-file", "a local file that is not there",
        "Scripts, payloads, files of steps and answer files are looked for relative to the folder of the spec, also when a file
of steps names them. Is the file in the repository, and is its name spelt with the same capitals?";
    NOT_TEXT = "spec::not-text", "a script that is not UTF-8",
        "Scripts and files of steps are read as UTF-8. Windows editors sometimes save UTF-16 or a code page such as CP949; save
the file again as UTF-8.";
    SCRIPT_ENCODING = "spec::script-encoding", "a script that Windows PowerShell would misread",
        "Windows PowerShell 5.1 reads a script without a byte order mark in the code page of the machine: Korean text in it
becomes garbage, and a quote may get lost with it. Save the script as UTF-8 with a byte order mark (\"UTF-8 with BOM\" in most
editors), or keep it to ASCII and hand texts over by `arguments`, which travel as JSON.";
    WINDOWS_PATH = "spec::windows-path", "a path that is not absolute in Windows",
        "Paths in the guest begin with a drive, as in `C:\\Build`, and go nowhere with `..`. In YAML write them in single quotes
or without any: in double quotes a backslash has a meaning of its own.";
    BASE_IMAGE = "spec::base-image", "the base image is not well named",
        "The base image is named by its `id`, or by `name` and `properties`. In a name `*` stands for anything; as providers
replace their images every month, `newest: true` takes the newest that fits, and the lock file remembers which one it was.";
    INSECURE_BASIC = "spec::insecure-basic", "Basic without TLS",
        "With `auth: basic` the password crosses the network as it is. Over `transport: http` anybody in between can read it, so
this is refused. `auth: negotiate` seals its messages over http too.";
    INSECURE_TRUST = "spec::insecure-trust", "nothing proves that the guest is the guest",
        "With `trust: insecure` any certificate is believed. On the default road the build makes the guest's certificate itself and
believes only that one (`trust: pinned`); there is no reason to do without.";
    TRUST_UNKNOWN = "spec::trust-unknown", "a certificate that nobody can vouch for",
        "`trust: pinned` believes the certificate that the build put into the guest through user data. With
`way_in: server_password` the guest makes one itself, which nobody knows beforehand. Use its fingerprint, an authority, or
`transport: http`, whose messages Negotiate seals.";
    NO_EFFECT = "spec::no-effect", "a field that has no effect",
        "Another field makes this one meaningless. Nothing is wrong with the build, but perhaps something else was meant; else
remove the field.";
    BAD_CIDR = "spec::bad-cidr", "an address range that is none",
        "`allow_from` takes ranges in CIDR form: an address, `/`, and how many of its bits count. One address alone is
`198.51.100.7/32` (IPv4) or `2001:db8::7/128` (IPv6).";
    BAD_PROPERTY = "spec::bad-property", "a property that cannot be set",
        "`image.properties` are free keys beside those that the image service keeps itself (`name`, `min_disk`, `visibility`,
`tags` …). Some of these are fields of `image`; the others belong to the cloud.";
    MEMBERS = "spec::members", "members without sharing",
        "Only images with `visibility: shared` have members. The receiving project still has to accept the image before it is
listed there; by its id it can be used at once.";
    MIN_DISK = "spec::min-disk", "a minimum below the image's own size",
        "The image is a copy of the build machine's root volume and as large as that. A `min_disk` below it would let people
choose a disk on which the machine cannot start. Either raise `image.min_disk`, or lower `base.root_volume.size`.";
    SAME_IMAGE = "spec::same-image", "two images of the same name",
        "Two builds of the matrix would make images of the same name, and nobody could tell them apart. Use `${matrix.NAME}` in
`image.name`. An alias must differ from the name too.";
    SAME_NAME = "spec::same-name", "two steps of the same name",
        "Logs, reports and `resume` show steps by name. Two equal ones work, since each also has a number, but give each a
`name` of its own.";
    CHECKS_WITHOUT_BOOT = "spec::checks-without-boot", "checks without a machine",
        "`verify.checks` run in a second machine that is started from the new image. That machine is only made with
`boot: true`.";
    NHN_FLAVOR = "spec::nhn-flavor", "a flavour that does not run Windows on NHN Cloud",
        "Machines of the U2 family have local disks and are not offered for Windows. Use m2, c2, r2, t2 or x1 with at least
2 GB of RAM.";
    NHN_NAME = "spec::nhn-name", "a machine name that is too long for NHN Cloud",
        "NHN Cloud refuses Windows machines whose name has more than 15 characters, since Windows would cut it. Without
`base.server_name` the build makes a name that fits; the image's name is not concerned.";
    NHN_USER_DATA = "spec::nhn-user-data", "a user-data script that is too large for NHN Cloud",
        "User data on NHN Cloud have at most 65,535 bytes after base64, and the build needs some of them for its own account and
listener. Do what can wait in a step of `software`, where size does not matter.";
    NHN_SIZE = "spec::nhn-size", "a size that NHN Cloud refuses for Windows",
        "Windows machines on NHN Cloud need at least 2 GB of RAM and boot from a volume of 50 to 2000 GB.";
    NHN_VISIBILITY = "spec::nhn-visibility", "a visibility that NHN Cloud does not have",
        "Users of NHN Cloud can make images `private` or share them with other projects (`shared`, with `members`). `public`
images are the provider's.";
    NHN_PASSWORD = "spec::nhn-password", "an undocumented call on NHN Cloud",
        "NHN Cloud shows the password of a Windows machine in its console, which decrypts it in the browser; the public API guide has no
call for it. `way_in: auto` uses a user-data script there, which makes a one-time account.";
}
