//! WS-Management messages, out and in, without any transport (MS-WSMV, DSP0226).

mod fault;
mod request;
mod response;

pub(crate) use fault::{Fault, FaultKind};
pub(crate) use request::{Envelope, Request};
pub(crate) use response::{Body, Received, parse};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
const WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
const WSMAN_MS: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
const WSMAN_FAULT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";
const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
const CONFIG: &str = "http://schemas.microsoft.com/wbem/wsman/1/config";
