//! A WinRM client by hand, for tests of the server only: one connection, NTLM, sealing over http.

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use reseal_lab::winrm::bytes::{Cursor, utf16le};
use reseal_lab::winrm::ntlm::keys::{Key, Way, hmac_md5, nt_hash, ntowf_v2};
use reseal_lab::winrm::ntlm::message::{MIC_AT, av, decode_av_pairs, encode_av_pairs};
use reseal_lab::winrm::ntlm::rc4::Rc4;
use serde_json::{Value, json};
use sha2::Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body, unsealed where it was sealed.
    pub(crate) text: String,
    /// The raw head.
    pub(crate) head: String,
}

struct Stream {
    sign: Key,
    rc4: Rc4,
    sequence: u32,
}

impl Stream {
    fn new(way: Way, key: &Key) -> Self {
        Self {
            sign: way.sign_key(key),
            rc4: Rc4::new(&way.seal_key(key)),
            sequence: 0,
        }
    }

    fn signature(&mut self, plain: &[u8]) -> Vec<u8> {
        let sequence = self.sequence.to_le_bytes();
        self.sequence += 1;
        let mac = hmac_md5(&self.sign, &[&sequence, plain]);
        let checksum = self.rc4.applied(&mac[..8]);
        [&1_u32.to_le_bytes()[..], &checksum, &sequence].concat()
    }
}

/// One connection.
pub(crate) struct Raw {
    stream: TcpStream,
    out: Option<Stream>,
    back: Option<Stream>,
    next_id: u128,
    /// The boundary line that closes a sealed body; a test spoils it.
    pub(crate) closing: &'static str,
}

const FLAGS: u32 = 0xe208_8233;

/// The client's first message.
pub(crate) fn negotiate() -> Vec<u8> {
    [
        &b"NTLMSSP\0"[..],
        &1_u32.to_le_bytes(),
        &FLAGS.to_le_bytes(),
        &[0; 16],
        &[10, 0, 0, 0, 0, 0, 0, 15],
    ]
    .concat()
}

/// The client's last message, and the session key.
pub(crate) fn authenticate(challenge: &[u8], user: &str, password: &str) -> (Vec<u8>, Key) {
    let mut cursor = Cursor::new(challenge);
    cursor.take(24).unwrap();
    let nonce = cursor.take(8).unwrap();
    cursor.take(8).unwrap();
    let length = usize::from(cursor.u16().unwrap());
    cursor.u16().unwrap();
    let offset = usize::try_from(cursor.u32().unwrap()).unwrap();
    let mut pairs: Vec<(u16, &[u8])> = decode_av_pairs(&challenge[offset..offset + length]).unwrap();
    let time = pairs.iter().find(|(id, _)| *id == av::TIMESTAMP).unwrap().1;
    pairs.push((av::FLAGS, &[2, 0, 0, 0]));
    let list = encode_av_pairs(pairs);
    let temp = [&[1, 1, 0, 0, 0, 0, 0, 0][..], time, &[0xaa; 8], &[0; 4], &list, &[0; 4]].concat();
    let key = ntowf_v2(&nt_hash(password), user, "");
    let proof = hmac_md5(&key, &[nonce, &temp]);
    let exported = [0x55; 16];
    let encrypted = Rc4::new(&hmac_md5(&key, &[&proof])).applied(&exported);
    let response = [&proof[..], &temp].concat();
    let mut message = fields(&[&[0; 24], &response, &[], &utf16le(user), &[], &encrypted]);
    let mic = hmac_md5(&exported, &[&negotiate(), challenge, &message]);
    message[MIC_AT].copy_from_slice(&mic);
    (message, exported)
}

fn fields(parts: &[&[u8]; 6]) -> Vec<u8> {
    let mut head = [&b"NTLMSSP\0"[..], &3_u32.to_le_bytes()].concat();
    let mut offset = 88_u32;
    for part in parts {
        let length = u16::try_from(part.len()).unwrap();
        head.extend([&length.to_le_bytes()[..], &length.to_le_bytes(), &offset.to_le_bytes()].concat());
        offset += u32::from(length);
    }
    head.extend(FLAGS.to_le_bytes());
    head.extend([10, 0, 0, 0, 0, 0, 0, 15]);
    head.extend([0; 16]);
    head.extend(parts.concat());
    head
}

impl Raw {
    /// Connects without a login.
    pub(crate) async fn connect(address: IpAddr) -> Self {
        let stream = TcpStream::connect((address, 5985)).await.unwrap();
        Self {
            stream,
            out: None,
            back: None,
            next_id: u128::from(rand::random::<u64>()) << 32,
            closing: "--Encrypted Boundary--\r\n",
        }
    }

    /// Connects and logs in with empty bodies.
    pub(crate) async fn login(address: IpAddr, user: &str, password: &str) -> Result<Self, Answer> {
        let mut raw = Self::connect(address).await;
        let first = raw
            .http(
                &format!("Authorization: Negotiate {}\r\n", BASE64.encode(negotiate())),
                b"",
            )
            .await
            .unwrap();
        assert_eq!(first.status, 401);
        let challenge = first
            .head
            .split("Negotiate ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap();
        let (message, key) = authenticate(&BASE64.decode(challenge).unwrap(), user, password);
        let answer = raw
            .http(&format!("Authorization: Negotiate {}\r\n", BASE64.encode(message)), b"")
            .await
            .unwrap();
        if answer.status != 200 {
            return Err(answer);
        }
        raw.out = Some(Stream::new(Way::ToServer, &key));
        raw.back = Some(Stream::new(Way::ToClient, &key));
        Ok(raw)
    }

    /// One HTTP exchange; `None` when the connection broke.
    pub(crate) async fn http(&mut self, headers: &str, body: &[u8]) -> Option<Answer> {
        let head = format!(
            "POST /wsman HTTP/1.1\r\nHost: guest\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            let count = self.stream.read_buf(&mut bytes).await.ok()?;
            (count > 0).then_some(())?;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap_or("0")
            .parse()
            .unwrap();
        while bytes.len() < end + 4 + length {
            let count = self.stream.read_buf(&mut bytes).await.ok()?;
            (count > 0).then_some(())?;
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = &bytes[end + 4..];
        let text = if head.contains("multipart/encrypted") {
            self.unseal(body)
        } else {
            String::from_utf8_lossy(body).into_owned()
        };
        Some(Answer { status, text, head })
    }

    fn unseal(&mut self, body: &[u8]) -> String {
        let marker = b"application/octet-stream\r\n";
        let at = body.windows(marker.len()).position(|window| window == marker).unwrap() + marker.len();
        let payload = body[at..].strip_suffix(b"--Encrypted Boundary--\r\n").unwrap();
        let back = self.back.as_mut().unwrap();
        let plain = back.rc4.applied(&payload[20..]);
        assert_eq!(back.signature(&plain), &payload[4..20], "the server's signature");
        String::from_utf8(plain).unwrap()
    }

    /// Seals an envelope and sends it.
    pub(crate) async fn sealed(&mut self, text: &str) -> Option<Answer> {
        let out = self.out.as_mut().unwrap();
        let data = out.rc4.applied(text.as_bytes());
        let signature = out.signature(text.as_bytes());
        let head = format!(
            "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\tOriginalContent: \
             type=application/soap+xml;charset=UTF-8;Length={}\r\n--Encrypted Boundary\r\n\tContent-Type: \
             application/octet-stream\r\n",
            text.len()
        );
        let body = [
            head.as_bytes(),
            &16_u32.to_le_bytes(),
            &signature,
            &data,
            self.closing.as_bytes(),
        ]
        .concat();
        let kind = "Content-Type: multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\"\r\n";
        self.http(kind, &body).await
    }

    /// An envelope around a body with further headers.
    pub(crate) fn envelope(&mut self, action: &str, resource: &str, headers: &str, body: &str) -> String {
        self.next_id += 1;
        let id = uuid::Uuid::from_u128(self.next_id);
        format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
             xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
             xmlns:r=\"http://schemas.microsoft.com/wbem/wsman/1/windows/shell\"><s:Header><a:To>http://guest/wsman</a:To>\
             <a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>\
             <a:Action>{action}</a:Action><a:MessageID>uuid:{id}</a:MessageID><w:ResourceURI>{resource}</w:ResourceURI>\
             <w:MaxEnvelopeSize>512000</w:MaxEnvelopeSize><w:OperationTimeout>PT20S</w:OperationTimeout>{headers}</s:Header>\
             <s:Body>{body}</s:Body></s:Envelope>"
        )
    }

    /// An operation of the shell, by its last word.
    pub(crate) async fn shell_call(&mut self, verb: &str, shell: &str, options: &str, body: &str) -> Option<Answer> {
        let selector = format!("<w:SelectorSet><w:Selector Name=\"ShellId\">{shell}</w:Selector></w:SelectorSet>");
        let headers = if shell.is_empty() {
            options.to_owned()
        } else {
            format!("{selector}{options}")
        };
        let action = match verb {
            "Create" | "Delete" => format!("http://schemas.xmlsoap.org/ws/2004/09/transfer/{verb}"),
            _ => format!("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/{verb}"),
        };
        let text = self.envelope(
            &action,
            "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd",
            &headers,
            body,
        );
        self.sealed(&text).await
    }

    /// Opens a shell; its id, or the fault.
    pub(crate) async fn create(&mut self) -> Result<String, Answer> {
        let options = "<w:OptionSet><w:Option Name=\"WINRS_CODEPAGE\">65001</w:Option></w:OptionSet>";
        let body =
            "<r:Shell><r:InputStreams>stdin</r:InputStreams><r:OutputStreams>stdout stderr</r:OutputStreams></r:Shell>";
        let answer = self.shell_call("Create", "", options, body).await.unwrap();
        if answer.status == 200 {
            Ok(between(&answer.text, "<rsp:ShellId>", "<"))
        } else {
            Err(answer)
        }
    }

    /// Starts a command; its id, or the fault.
    pub(crate) async fn command(&mut self, shell: &str, options: &str, line: &str) -> Result<String, Answer> {
        let body = format!("<r:CommandLine><r:Command>{line}</r:Command></r:CommandLine>");
        let answer = self.shell_call("Command", shell, options, &body).await.unwrap();
        if answer.status == 200 {
            Ok(between(&answer.text, "<rsp:CommandId>", "<"))
        } else {
            Err(answer)
        }
    }

    /// Gives a command input.
    pub(crate) async fn send(&mut self, shell: &str, command: &str, bytes: &[u8]) -> Option<Answer> {
        let data = BASE64.encode(bytes);
        let body = format!("<r:Send><r:Stream Name=\"stdin\" CommandId=\"{command}\">{data}</r:Stream></r:Send>");
        self.shell_call("Send", shell, "", &body).await
    }

    /// Takes a command's output; `None` when the connection broke.
    pub(crate) async fn receive(&mut self, shell: &str, command: &str) -> Option<Answer> {
        let body =
            format!("<r:Receive><r:DesiredStream CommandId=\"{command}\">stdout stderr</r:DesiredStream></r:Receive>");
        self.shell_call("Receive", shell, "", &body).await
    }
}

/// What stands between two texts.
pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    text.split(before)
        .nth(1)
        .unwrap()
        .split(after)
        .next()
        .unwrap()
        .to_owned()
}

/// A resident runner on a connection of its own.
pub(crate) struct Runner {
    /// The connection.
    pub(crate) raw: Raw,
    shell: String,
    command: String,
    next: u32,
}

impl Runner {
    /// Logs in and starts a runner.
    pub(crate) async fn start(address: IpAddr, user: &str, password: &str) -> Self {
        let mut raw = Raw::login(address, user, password).await.unwrap();
        let shell = raw.create().await.unwrap();
        let options = "<w:OptionSet><w:Option Name=\"WINRS_SKIP_CMD_SHELL\">TRUE</w:Option>\
                       <w:Option Name=\"WINRS_CONSOLEMODE_STDIN\">FALSE</w:Option></w:OptionSet>";
        let script = BASE64.encode(utf16le("# reseal:bootstrap/1\n"));
        let line = format!(
            "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -InputFormat None -OutputFormat Text \
             -EncodedCommand {script}"
        );
        let command = raw.command(&shell, options, &line).await.unwrap();
        let mut runner = Self {
            raw,
            shell,
            command,
            next: 0,
        };
        let text = b"# reseal:runner/1\n";
        runner
            .feed(&[&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text].concat())
            .await
            .unwrap();
        assert!(runner.output().await.unwrap().starts_with("##reseal:ready:"));
        runner
    }

    /// `None` when the connection broke.
    async fn feed(&mut self, bytes: &[u8]) -> Option<()> {
        let answer = self.raw.send(&self.shell, &self.command, bytes).await?;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Some(())
    }

    async fn output(&mut self) -> Option<String> {
        loop {
            let answer = self.raw.receive(&self.shell, &self.command).await?;
            if answer.status == 200 {
                let data = between(&answer.text, "Name=\"stdout\"", "</rsp:Stream>");
                let data = data.split('>').nth(1).unwrap();
                return Some(String::from_utf8(BASE64.decode(data).unwrap()).unwrap());
            }
            assert!(answer.text.contains("2150858793"), "{}", answer.text);
        }
    }

    /// Runs an operation; its whole answer, or `None` when the connection broke.
    pub(crate) async fn run(&mut self, op: &str, input: &Value) -> Option<Value> {
        self.next += 1;
        let (script, input) = (b"x", input.to_string());
        let header = json!({"id": self.next, "op": op, "sha256": hex::encode(sha2::Sha256::digest(script)),
            "script": script.len(), "input": input.len()})
        .to_string();
        let length = u32::try_from(header.len()).unwrap().to_le_bytes();
        self.feed(&[&length[..], header.as_bytes(), script, input.as_bytes()].concat())
            .await?;
        let mut text = String::new();
        let end = format!("##reseal:end:{}", self.next);
        while !text.contains(&end) {
            text.push_str(&self.output().await?);
        }
        let result = between(&text, "##reseal:result:", "\r\n");
        Some(serde_json::from_slice(&BASE64.decode(result).unwrap()).unwrap())
    }

    /// Runs an operation that must succeed; its result.
    pub(crate) async fn good(&mut self, op: &str, input: &Value) -> Value {
        let answer = self.run(op, input).await.unwrap();
        assert_eq!(answer["ok"], true, "{op}: {answer}");
        answer["result"].clone()
    }

    /// Puts a file into the guest by way of a receiver's frames.
    pub(crate) async fn put(&mut self, path: &str, bytes: &[u8]) {
        use reseal_lab::guest::files::hash;
        let shell = self.raw.create().await.unwrap();
        let script = BASE64.encode(utf16le("# reseal:bootstrap/1\n"));
        let options = "<w:OptionSet><w:Option Name=\"WINRS_SKIP_CMD_SHELL\">TRUE</w:Option>\
                       <w:Option Name=\"WINRS_CONSOLEMODE_STDIN\">FALSE</w:Option></w:OptionSet>";
        let line = format!(
            "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -InputFormat None -OutputFormat Text -EncodedCommand {script}"
        );
        let command = self.raw.command(&shell, options, &line).await.unwrap();
        let text = b"# reseal:receiver/1\n";
        let begin = [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text].concat();
        self.good("transfer_prepare", &json!({"path": path, "size": bytes.len()}))
            .await;
        self.raw.send(&shell, &command, &begin).await.unwrap();
        let partial = format!("{path}.partial");
        let header = json!({"id": 1, "path": partial, "offset": 0, "length": bytes.len(), "mode": "raw"}).to_string();
        let length = u32::try_from(header.len()).unwrap().to_le_bytes();
        self.raw
            .send(&shell, &command, &[&length[..], header.as_bytes(), bytes].concat())
            .await
            .unwrap();
        let done = self
            .good(
                "transfer_finish",
                &json!({"path": path, "size": bytes.len(), "sha256": hash(bytes)}),
            )
            .await;
        assert_eq!(done["equal"], true);
        self.raw.shell_call("Delete", &shell, "", "").await.unwrap();
    }
}
