//! A lab with a stub of a machine room, and a client that knows nothing but HTTP.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use reseal_lab::clock::JumpClock;
use reseal_lab::room::{BootRequest, Disk, Machine, MachineRoom, Power};
use reseal_lab::{Lab, LabOptions, Mode};
use reseal_machine::Clock;
use serde_json::{Value, json};

/// A 2048-bit RSA public key: kind, exponent 65537, a modulus of ones.
pub(crate) fn public_key() -> String {
    use base64::Engine;
    let mut blob = Vec::new();
    let mut modulus = vec![0_u8];
    modulus.extend([0xff; 256]);
    for part in [b"ssh-rsa".as_slice(), &[1, 0, 1], &modulus] {
        blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        blob.extend(part);
    }
    format!(
        "ssh-rsa {} test",
        base64::engine::general_purpose::STANDARD.encode(blob)
    )
}

/// A machine that is on or off.
pub(crate) struct StubMachine {
    pub(crate) request: BootRequest,
    on: AtomicBool,
    pub(crate) destroyed: AtomicBool,
    address: IpAddr,
    pub(crate) password: Mutex<Option<String>>,
}

impl StubMachine {
    /// The guest switches itself off.
    pub(crate) fn shut_down(&self) {
        self.on.store(false, Ordering::SeqCst);
    }
}

impl Machine for StubMachine {
    fn power(&self) -> Power {
        if self.on.load(Ordering::SeqCst) {
            Power::On
        } else {
            Power::Off
        }
    }
    fn power_on(&self) {
        self.on.store(true, Ordering::SeqCst);
    }
    fn power_off(&self) {
        self.on.store(false, Ordering::SeqCst);
    }
    fn address(&self) -> IpAddr {
        self.address
    }
    fn disk(&self) -> Disk {
        Disk(Arc::new(format!("disk of {}", self.request.name)))
    }
    fn posted_password(&self) -> Option<String> {
        self.password.lock().unwrap().clone()
    }
    fn console(&self) -> String {
        "line 1\nline 2\nline 3".to_owned()
    }
    fn destroy(&self) {
        self.destroyed.store(true, Ordering::SeqCst);
    }
}

/// Makes stubs and remembers them.
#[derive(Default)]
pub(crate) struct StubRoom {
    pub(crate) machines: Mutex<Vec<Arc<StubMachine>>>,
    next: AtomicU8,
}

impl MachineRoom for StubRoom {
    fn boot(&self, request: BootRequest) -> Arc<dyn Machine> {
        let last = 10 + self.next.fetch_add(1, Ordering::SeqCst);
        let machine = Arc::new(StubMachine {
            request,
            on: AtomicBool::new(true),
            destroyed: AtomicBool::new(false),
            address: IpAddr::V4(Ipv4Addr::new(127, 77, 0, last)),
            password: Mutex::new(None),
        });
        self.machines.lock().unwrap().push(Arc::clone(&machine));
        machine
    }
    fn provider_disk(&self, image_name: &str) -> Disk {
        Disk(Arc::new(image_name.to_owned()))
    }
}

/// What is on a disk of this room.
pub(crate) fn content(disk: &Disk) -> String {
    disk.0.downcast_ref::<String>().unwrap().clone()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Got {
    /// The status must be this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The text must have these words.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.text.contains(words), "{} does not say {words}", self.text);
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// One request on a connection of its own; `None` when the connection ends without an answer.
pub(crate) async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Option<Got> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/{path}"))
        .header("Host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender
        .send_request(request.body(Full::new(Bytes::from(body))).unwrap())
        .await
        .ok()?;
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Some(Got {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
        text,
    })
}

/// A lab, and somebody who has logged in.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) clock: Arc<JumpClock>,
    pub(crate) room: Arc<StubRoom>,
    pub(crate) token: String,
    pub(crate) catalog: BTreeMap<String, String>,
    pub(crate) mode: Mode,
}

/// Options of a lab with a jumping clock.
pub(crate) fn options(mode: Mode, faults: &[&str]) -> (LabOptions, Arc<JumpClock>, Arc<StubRoom>) {
    let clock = Arc::new(JumpClock::new("2026-11-22T03:00:00Z".parse().unwrap()));
    let room = Arc::new(StubRoom::default());
    let mut options = LabOptions::new(mode, Arc::<JumpClock>::clone(&clock), Arc::<StubRoom>::clone(&room));
    options.faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
    (options, clock, room)
}

/// A variable of the lab.
pub(crate) fn variable(lab: &Lab, name: &str) -> String {
    lab.env()
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
        .unwrap()
}

/// The token request of each mode.
pub(crate) fn credentials(lab: &Lab, mode: Mode, password: &str) -> (String, Value) {
    let user = variable(lab, "OS_USERNAME");
    match mode {
        Mode::Nhn => {
            let tenant = variable(lab, "OS_TENANT_ID");
            let body =
                json!({"auth": {"tenantId": tenant, "passwordCredentials": {"username": user, "password": password}}});
            (format!("{}/tokens", lab.auth_url()), body)
        }
        Mode::Openstack => {
            let project = variable(lab, "OS_PROJECT_NAME");
            let domain = json!({"name": "Default"});
            let user = json!({"name": user, "domain": domain, "password": password});
            let body = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}},
                                       "scope": {"project": {"name": project, "domain": domain}}}});
            (format!("{}/auth/tokens", lab.auth_url()), body)
        }
    }
}

/// Logs in; token and catalogue.
pub(crate) async fn log_in(lab: &Lab, mode: Mode) -> (String, BTreeMap<String, String>) {
    let (url, body) = credentials(lab, mode, &variable(lab, "OS_PASSWORD"));
    let headers = [("Content-Type", "application/json"), ("Accept", "application/json")];
    let got = send("POST", &url, &headers, body.to_string().into_bytes())
        .await
        .unwrap();
    let region = variable(lab, "OS_REGION_NAME");
    match mode {
        Mode::Nhn => {
            let access = &got.is(200).body["access"];
            (
                access["token"]["id"].as_str().unwrap().to_owned(),
                catalog(&access["serviceCatalog"], &region, "publicURL"),
            )
        }
        Mode::Openstack => {
            let token = got.header("X-Subject-Token").unwrap().to_owned();
            (token, catalog(&got.is(201).body["token"]["catalog"], &region, "url"))
        }
    }
}

fn catalog(services: &Value, region: &str, url: &str) -> BTreeMap<String, String> {
    let endpoint = |service: &Value| {
        let all = service["endpoints"].as_array().unwrap();
        let ours = all
            .iter()
            .find(|end| end["region"] == region && end.get("interface").is_none_or(|kind| kind == "public"));
        (
            service["type"].as_str().unwrap().to_owned(),
            ours.unwrap()[url].as_str().unwrap().to_owned(),
        )
    };
    services.as_array().unwrap().iter().map(endpoint).collect()
}

impl Site {
    pub(crate) async fn start(mode: Mode, faults: &[&str]) -> Self {
        let (options, clock, room) = options(mode, faults);
        Self::with(options, clock, room).await
    }

    pub(crate) async fn with(options: LabOptions, clock: Arc<JumpClock>, room: Arc<StubRoom>) -> Self {
        let mode = options.mode;
        let lab = Lab::start(options).await.unwrap();
        let (token, catalog) = log_in(&lab, mode).await;
        Self {
            lab,
            clock,
            room,
            token,
            catalog,
            mode,
        }
    }

    /// Lab time passes.
    pub(crate) fn pass(&self, seconds: i64) {
        let now: Timestamp = self.clock.now();
        self.clock.advance_to(now + SignedDuration::from_secs(seconds));
    }

    /// The address of something in a service.
    pub(crate) fn at(&self, service: &str, path: &str) -> String {
        let kind = match (service, self.mode) {
            ("volume", Mode::Nhn) => "volumev2",
            ("volume", Mode::Openstack) => "block-storage",
            (other, _) => other,
        };
        let version = match service {
            "image" => "/v2",
            "network" => "/v2.0",
            _ => "",
        };
        format!("{}{version}{path}", self.catalog[kind])
    }

    /// A request with more headers; `None` when there is no answer.
    pub(crate) async fn try_call(
        &self,
        method: &str,
        url: &str,
        body: Option<Value>,
        more: &[(&str, &str)],
    ) -> Option<Got> {
        let mut headers = vec![("X-Auth-Token", self.token.as_str()), ("Accept", "application/json")];
        if body.is_some() && !more.iter().any(|(name, _)| *name == "Content-Type") {
            headers.push(("Content-Type", "application/json"));
        }
        headers.extend(more);
        send(
            method,
            url,
            &headers,
            body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        )
        .await
    }

    pub(crate) async fn get(&self, service: &str, path: &str) -> Got {
        self.try_call("GET", &self.at(service, path), None, &[]).await.unwrap()
    }

    pub(crate) async fn delete(&self, service: &str, path: &str) -> Got {
        self.try_call("DELETE", &self.at(service, path), None, &[])
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, service: &str, path: &str, body: Value) -> Got {
        self.try_call("POST", &self.at(service, path), Some(body), &[])
            .await
            .unwrap()
    }

    pub(crate) async fn put(&self, service: &str, path: &str, body: Value) -> Got {
        self.try_call("PUT", &self.at(service, path), Some(body), &[])
            .await
            .unwrap()
    }

    /// With a microversion, or any other header.
    pub(crate) async fn post_with(&self, service: &str, path: &str, body: Value, header: (&str, &str)) -> Got {
        self.try_call("POST", &self.at(service, path), Some(body), &[header])
            .await
            .unwrap()
    }

    /// The id of the image with this name.
    pub(crate) async fn image(&self, name: &str) -> String {
        let got = self
            .get("image", &format!("/images?name={}", name.replace(' ', "%20")))
            .await
            .is(200);
        got.body["images"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The usual Windows image.
    pub(crate) async fn windows(&self) -> String {
        match self.mode {
            Mode::Nhn => self.image("Windows 2022 STD(2026.03.10.) EN").await,
            Mode::Openstack => self.image("windows-server-2022").await,
        }
    }

    /// The id of the flavour with this name.
    pub(crate) async fn flavor(&self, name: &str) -> String {
        let got = self.get("compute", "/flavors/detail").await.is(200);
        let flavors = got.body["flavors"].as_array().unwrap();
        flavors.iter().find(|flavor| flavor["name"] == name).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The id of a network.
    pub(crate) async fn network(&self, external: bool) -> String {
        let got = self
            .get("network", &format!("/networks?router:external={external}"))
            .await
            .is(200);
        got.body["networks"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Key pair `k` and security group `g` that opens 5986 to the client.
    pub(crate) async fn prepare(&self) {
        let body = json!({"keypair": {"name": "k", "public_key": public_key()}});
        self.post("compute", "/os-keypairs", body).await.is(200);
        let got = self
            .post(
                "network",
                "/security-groups",
                json!({"security_group": {"name": "g", "description": "d"}}),
            )
            .await
            .is(201);
        let group = got.body["security_group"]["id"].clone();
        for (port, cidr) in [(5986, "127.0.0.1/32"), (5985, "198.51.100.7/32")] {
            let rule = json!({"security_group_rule": {"security_group_id": group, "direction": "ingress", "ethertype": "IPv4",
                "protocol": "tcp", "port_range_min": port, "port_range_max": port, "remote_ip_prefix": cidr}});
            self.post("network", "/security-group-rules", rule).await.is(201);
        }
    }

    /// The body of a server that is right in this mode.
    pub(crate) async fn order(&self, name: &str) -> Value {
        let image = self.windows().await;
        let network = self.network(false).await;
        let (flavor, kind) = match self.mode {
            Mode::Nhn => ("m2.c2m4", "General SSD"),
            Mode::Openstack => ("m1.medium", "ssd"),
        };
        json!({"server": {"name": name, "flavorRef": self.flavor(flavor).await, "imageRef": image, "key_name": "k",
            "networks": [{"uuid": network}], "security_groups": [{"name": "g"}], "user_data": "I3BzMQo=",
            "metadata": {"run": "1"}, "block_device_mapping_v2": [{"boot_index": 0, "source_type": "image", "uuid": image,
                "destination_type": "volume", "volume_size": 60, "volume_type": kind, "delete_on_termination": false}]}})
    }

    /// Orders a server; upstream with the microversion that knows `volume_type`.
    pub(crate) async fn launch(&self, order: Value) -> Got {
        match self.mode {
            Mode::Nhn => self.post("compute", "/servers", order).await,
            Mode::Openstack => {
                self.post_with("compute", "/servers", order, ("OpenStack-API-Version", "compute 2.67"))
                    .await
            }
        }
    }

    /// A running server, its id and its root volume's.
    pub(crate) async fn running(&self) -> (String, String) {
        self.prepare().await;
        let got = self.launch(self.order("b1").await).await.is(202);
        let id = got.body["server"]["id"].as_str().unwrap().to_owned();
        self.pass(61);
        assert_eq!(self.server(&id).await["status"], "ACTIVE");
        let got = self
            .get("compute", &format!("/servers/{id}/os-volume_attachments"))
            .await
            .is(200);
        let volume = got.body["volumeAttachments"][0]["volumeId"]
            .as_str()
            .unwrap()
            .to_owned();
        (id, volume)
    }

    /// A server as it is shown.
    pub(crate) async fn server(&self, id: &str) -> Value {
        self.get("compute", &format!("/servers/{id}")).await.is(200).body["server"].clone()
    }

    /// Status, task and power of a server.
    pub(crate) async fn face(&self, id: &str) -> (String, Option<String>, i64) {
        let server = self.server(id).await;
        let task = server["OS-EXT-STS:task_state"].as_str().map(str::to_owned);
        (
            server["status"].as_str().unwrap().to_owned(),
            task,
            server["OS-EXT-STS:power_state"].as_i64().unwrap(),
        )
    }

    /// The guest switches itself off, and the cloud notices.
    pub(crate) async fn halt(&self, id: &str) {
        self.machine(0).shut_down();
        self.face(id).await;
        self.pass(30);
        assert_eq!(self.face(id).await, ("SHUTOFF".to_owned(), None, 4));
    }

    pub(crate) fn machine(&self, number: usize) -> Arc<StubMachine> {
        Arc::clone(&self.room.machines.lock().unwrap()[number])
    }

    /// Asks for an image of a volume.
    pub(crate) async fn upload(&self, volume: &str, force: bool) -> Got {
        let body = json!({"os-volume_upload_image": {"image_name": "img", "force": force, "disk_format": "qcow2", "container_format": "bare"}});
        self.post("volume", &format!("/volumes/{volume}/action"), body).await
    }

    /// The status of an image, or nothing.
    pub(crate) async fn image_status(&self, id: &str) -> Option<String> {
        let got = self.get("image", &format!("/images/{id}")).await;
        (got.status != 404).then(|| got.body["status"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn volume_status(&self, id: &str) -> Option<String> {
        let got = self.get("volume", &format!("/volumes/{id}")).await;
        (got.status != 404).then(|| got.body["volume"]["status"].as_str().unwrap().to_owned())
    }
}

/// Real time may pass, but not much.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.unwrap()
}
