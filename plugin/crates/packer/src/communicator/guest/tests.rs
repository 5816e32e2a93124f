//! The bridge between two machines that are not there.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reseal_machine::CommError;
use reseal_machine::communicator::{Bytes, Exit, Probe, Progress, Script, Transferred};
use secrecy::SecretString;
use tokio::io::AsyncReadExt;

use super::*;

/// A machine of files; its commands are `talk COUNT` and `lose`.
#[derive(Default)]
struct Files(Mutex<BTreeMap<String, Vec<u8>>>);

impl Files {
    fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

fn lost() -> CommError {
    CommError::Unreachable("the machine is gone".to_owned())
}

fn transferred(size: usize) -> Transferred {
    Transferred {
        sent: 0,
        size: u64::try_from(size).unwrap(),
        sha256: String::new(),
        unchanged: false,
    }
}

#[async_trait]
impl Machine for Files {
    async fn probe(&self) -> Result<Probe, CommError> {
        Err(lost())
    }

    async fn invoke(
        &self,
        _script: Script,
        _input: &SecretString,
        _sink: &dyn OutputSink,
        _cancel: &CancellationToken,
    ) -> Result<serde_json::Value, CommError> {
        Err(lost())
    }

    async fn run(&self, command: &str, sink: &dyn OutputSink, _cancel: &CancellationToken) -> Result<Exit, CommError> {
        if let Some(text) = command.strip_prefix("echo ") {
            sink.output(
                Stream::Out,
                &format!("{}\r\n", text.replace("%TEMP%", r"C:\T").replace("%temp%", r"C:\T")),
            );
            return Ok(Exit { code: 0 });
        }
        let Some(count) = command.strip_prefix("talk ") else {
            return Err(lost());
        };
        for _ in 0..count.parse::<u32>().unwrap() {
            sink.output(Stream::Out, "out ");
            sink.output(Stream::Err, "err ");
        }
        Ok(Exit { code: -5 })
    }

    async fn upload(
        &self,
        from: &dyn Blob,
        to: &str,
        _progress: &dyn Progress,
        _cancel: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        let mut bytes = vec![0; usize::try_from(from.len()).unwrap()];
        let count = from.read_at(0, &mut bytes).unwrap();
        assert_eq!(count, bytes.len());
        self.0.lock().unwrap().insert(to.to_owned(), bytes);
        Ok(transferred(count))
    }

    async fn download(
        &self,
        from: &str,
        to: &mut dyn Store,
        _progress: &dyn Progress,
        _cancel: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        let bytes = self.get(from).ok_or_else(lost)?;
        to.append(&bytes).unwrap();
        Ok(transferred(bytes.len()))
    }

    async fn disconnect(&self) {}
}

/// A local machine with two files.
struct Here;

struct Memory(String, Vec<u8>);

impl Spool for Memory {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.extend(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Box<dyn Blob>> {
        Ok(Box::new(Bytes::new(self.0, self.1)))
    }
}

impl Local for Here {
    fn spool(&self, name: &str) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(Memory(name.to_owned(), Vec::new())))
    }

    fn walk(&self, folder: &str, exclude: &[String]) -> io::Result<Vec<LocalFile>> {
        let file = |relative: &str| LocalFile {
            path: format!("{folder}/{relative}"),
            relative: relative.to_owned(),
        };
        let files = ["a", "sub/b"]
            .into_iter()
            .filter(|name| !exclude.iter().any(|no| no == name));
        Ok(files.map(file).collect())
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn Blob>> {
        Ok(Box::new(Bytes::new(path, path.as_bytes())))
    }
}

fn bridge() -> (Arc<Files>, Guest) {
    let files = Arc::new(Files::default());
    let machine: Arc<dyn Machine> = Arc::<Files>::clone(&files);
    (files, Guest::new(machine, Arc::new(Here)))
}

fn info() -> FileInfo {
    FileInfo {
        name: "a.txt".to_owned(),
        size: 1,
        mode: 0o644,
    }
}

#[test]
fn a_folder_as_destination_takes_the_name_of_the_file() {
    assert_eq!(destination(r"C:\x\", Some(&info())).unwrap(), r"C:\x\a.txt");
    assert_eq!(destination(r"C:\x", Some(&info())).unwrap(), r"C:\x");
    assert!(destination(r"C:\x\", None).is_err());
    assert_eq!(folder_destination(r"C:\x\", "/tmp/files"), r"C:\x\files");
    assert_eq!(folder_destination(r"C:\x", "/tmp/files/"), r"C:\x");
}

async fn talk(count: usize) -> (i64, String, String) {
    let (out, mut heard) = tokio::io::duplex(1 << 20);
    let (err, mut complaints) = tokio::io::duplex(1 << 20);
    let pipes = Pipes {
        stdin: None,
        stdout: Some(Box::new(out)),
        stderr: Some(Box::new(err)),
    };
    let command = Text::from(format!("talk {count}"));
    let status = bridge()
        .1
        .run(&command, pipes, &CancellationToken::new())
        .await
        .unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    heard.read_to_string(&mut out).await.unwrap();
    complaints.read_to_string(&mut err).await.unwrap();
    (status, out, err)
}

#[tokio::test]
async fn output_and_status_arrive() {
    assert_eq!(talk(2).await, (-5, "out out ".to_owned(), "err err ".to_owned()));
}

#[tokio::test]
async fn lost_output_is_said_to_be_lost() {
    let (status, out, err) = talk(10_000).await;
    assert_eq!(status, -5);
    assert_eq!(out.len(), "out ".len() * MAX_PIECES / 2);
    assert!(err.ends_with(LOST));
}

#[tokio::test]
async fn a_lost_machine_is_an_error_of_the_command() {
    let (_, guest) = bridge();
    let error = guest
        .run(&"lose".into(), Pipes::default(), &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the machine is gone"), "{error}");
}

#[tokio::test]
async fn files_are_stored_before_they_are_sent() {
    let (files, guest) = bridge();
    let cancel = CancellationToken::new();
    let content = vec![3; 200_000];
    let from: Reader = Box::new(io::Cursor::new(content.clone()));
    guest.upload(r"C:\x\", from, Some(info()), &cancel).await.unwrap();
    assert_eq!(files.get(r"C:\x\a.txt").unwrap(), content);
    let (to, mut back) = tokio::io::duplex(1000);
    let mut read = Vec::new();
    let download = guest.download(r"C:\x\a.txt", Box::new(to), &cancel);
    let (fetched, copied) = tokio::join!(download, back.read_to_end(&mut read));
    fetched.unwrap();
    copied.unwrap();
    assert_eq!(read, content);
    let stopped = CancellationToken::new();
    stopped.cancel();
    let (never, _open) = tokio::io::duplex(1);
    assert!(guest.upload("x", Box::new(never), None, &stopped).await.is_err());
}

#[tokio::test]
async fn a_place_may_be_written_in_all_the_usual_ways() {
    let (_, guest) = bridge();
    let check = async |written: &str, place: &str| {
        let found = guest.place(written, &CancellationToken::new()).await.unwrap();
        assert_eq!(found, place, "{written}");
    };
    check("C:/Windows/Temp/x.ps1", r"C:\Windows\Temp\x.ps1").await;
    check("$env:TEMP/x.ps1", r"C:\T\x.ps1").await;
    check("${env:temp}\\x$y", r"C:\T\x$y").await;
    check("%TEMP%/x", r"C:\T\x").await;
    check(r"C:\100% $x", r"C:\100% $x").await;
}

#[tokio::test]
async fn folders_go_up_and_not_down() {
    let (files, guest) = bridge();
    let cancel = CancellationToken::new();
    guest.upload_folder(r"C:\d", "/s", &[], &cancel).await.unwrap();
    assert_eq!(files.get(r"C:\d\s\sub\b").unwrap(), b"/s/sub/b");
    guest
        .upload_folder(r"C:\e", "/s/", &["a".to_owned()], &cancel)
        .await
        .unwrap();
    assert!(files.get(r"C:\e\a").is_none() && files.get(r"C:\e\sub\b").is_some());
    assert!(guest.download_folder(r"C:\d", "/s", &[], &cancel).await.is_err());
}
