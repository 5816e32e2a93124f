//! Faults as WS-Management answers them.

/// A SOAP fault with Windows' number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `s:Sender`, `s:Receiver` or `s:MustUnderstand`.
    pub code: &'static str,
    /// The subcode, e.g. `w:TimedOut`.
    pub subcode: &'static str,
    /// Windows' error number in decimal.
    pub number: u32,
    /// The sentence.
    pub reason: String,
}

/// `ERROR_ACCESS_DENIED`.
pub const ACCESS_DENIED: u32 = 5;
/// `ERROR_WSMAN_OPERATION_TIMEDOUT`.
pub const TIMED_OUT: u32 = 2_150_858_793;
/// `ERROR_WSMAN_UNEXPECTED_SELECTORS`: the shell is not there.
pub const NO_SHELL: u32 = 2_150_858_843;
/// The user's shells are all in use.
pub const SHELL_QUOTA: u32 = 2_150_859_173;
/// The user's operations are all in use.
pub const OPERATION_QUOTA: u32 = 2_150_859_174;
/// `ERROR_WSMAN_SCHEMA_VALIDATION_ERROR`.
pub const SCHEMA: u32 = 2_150_858_817;
/// `ERROR_WSMAN_INVALID_OPTIONS` (as the lab reports any option trouble).
pub const OPTIONS: u32 = 2_150_858_842;
/// `ERROR_WSMAN_INVALID_RESOURCE_URI`.
pub const RESOURCE: u32 = 2_150_858_752;
/// `ERROR_WSMAN_ENCODING_LIMIT`-like trouble with an identifier.
pub const ADDRESSING: u32 = 2_150_858_754;

impl Fault {
    fn new(code: &'static str, subcode: &'static str, number: u32, reason: impl Into<String>) -> Self {
        Self {
            code,
            subcode,
            number,
            reason: reason.into(),
        }
    }

    /// Nothing happened within `OperationTimeout`: ask again.
    pub fn timed_out() -> Self {
        let reason =
            "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.";
        Self::new("s:Receiver", "w:TimedOut", TIMED_OUT, reason)
    }

    /// The user may not.
    pub fn access_denied() -> Self {
        Self::new("s:Sender", "w:AccessDenied", ACCESS_DENIED, "Access is denied.")
    }

    /// The shell is not there (any more).
    pub fn no_shell(id: &str) -> Self {
        let reason = format!(
            "The request for the Windows Remote Shell with ShellId {id} failed because the shell was not found on \
             the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on \
             the server. Provide the correct ShellId or create a new shell and retry the operation."
        );
        Self::new("s:Sender", "w:InvalidSelectors", NO_SHELL, reason)
    }

    /// The command is not there (any more).
    pub fn no_command(id: &str) -> Self {
        let reason = format!(
            "The Windows Remote Shell received a request to perform an operation on a command identifier {id} that \
             does not exist."
        );
        Self::new("s:Sender", "w:InvalidSelectors", NO_SHELL, reason)
    }

    /// Too many shells.
    pub fn shell_quota(most: usize) -> Self {
        let reason = format!(
            "The WS-Management service cannot process the request. This user is allowed a maximum number of {most} \
             concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user."
        );
        Self::new("s:Receiver", "w:QuotaLimit", SHELL_QUOTA, reason)
    }

    /// Too many operations.
    pub fn operation_quota(most: usize) -> Self {
        let reason = format!(
            "The WS-Management service cannot process the request. The maximum number of concurrent operations for \
             this user has been exceeded. Close existing operations for this user, or raise the quota ({most}) for \
             this user."
        );
        Self::new("s:Receiver", "w:QuotaLimit", OPERATION_QUOTA, reason)
    }

    /// The envelope does not fit the schema.
    pub fn schema(what: impl AsRef<str>) -> Self {
        let reason = format!(
            "The SOAP XML in the message does not match the corresponding XML schema: {}",
            what.as_ref()
        );
        Self::new("s:Sender", "w:SchemaValidationError", SCHEMA, reason)
    }

    /// An option that the shell does not know, or a value that it does not take.
    pub fn options(what: impl AsRef<str>) -> Self {
        let reason = format!(
            "The WS-Management service cannot process the request. Invalid option: {}",
            what.as_ref()
        );
        Self::new("s:Sender", "w:InvalidOptions", OPTIONS, reason)
    }

    /// An unknown resource.
    pub fn resource(uri: &str) -> Self {
        let reason =
            format!("The WS-Management service cannot process the request. The resource URI ({uri}) was not found.");
        Self::new("s:Sender", "a:DestinationUnreachable", RESOURCE, reason)
    }

    /// An action that the resource does not have.
    pub fn action(uri: &str) -> Self {
        let reason = format!("The action {uri} is not supported by the service.");
        Self::new("s:Sender", "a:ActionNotSupported", RESOURCE, reason)
    }

    /// A message id that is missing, malformed or used twice.
    pub fn message_id(what: impl AsRef<str>) -> Self {
        Self::new(
            "s:Sender",
            "a:InvalidMessageInformationHeader",
            ADDRESSING,
            what.as_ref(),
        )
    }

    /// A header that must be understood and is not.
    pub fn must_understand(header: &str) -> Self {
        let reason = format!("The WS-Management service does not understand the header {header}.");
        Self::new("s:MustUnderstand", "w:UnsupportedFeature", SCHEMA, reason)
    }

    /// Any of Windows' numbers, e.g. 995, 1018, 1726 while the machine comes up or goes down.
    pub fn windows(number: u32, reason: impl Into<String>) -> Self {
        Self::new("s:Receiver", "w:InternalError", number, reason)
    }
}
