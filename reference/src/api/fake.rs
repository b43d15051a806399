//! A service whose methods misbehave, for the tests of what serves them.

use std::{
    io::{BufRead, BufReader},
    os::{
        fd::AsFd,
        unix::net::{SocketAddr, UnixStream},
    },
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::poll::PollTimeout;
use serde_json::{Value, json};
use tempfile::TempDir;
use varlink::CallTrait;

use super::{
    address::Address,
    call::{Call, Methods, reply},
    definition::Definition,
    dispatch::Exported,
    server::{Access, Caller, Server, Service},
};
use crate::sys::{
    listener::Listener,
    wait::{Stop, Woken, wait_readable},
};

static DEFINITION: LazyLock<Definition> = LazyLock::new(|| {
    let methods = ["Fine", "Panic", "Silent", "Half", "Wait", "Slow", "Flood"]
        .map(|name| format!("method {name}() -> ()\n"))
        .concat();
    let text = format!("interface org.example.fake\n{methods}");
    Definition::parse(Box::leak(text.into_boxed_str())).unwrap()
});

/// How many calls of "Wait" there are.
type Waiting = Arc<AtomicUsize>;

#[derive(Default)]
pub(crate) struct Fake(Waiting);

struct Misbehaving(Caller, Waiting);

impl Service for Fake {
    fn export(&self, caller: &Caller) -> Vec<Exported> {
        let interface = Box::new(Misbehaving(caller.clone(), Arc::clone(&self.0)));
        vec![Exported {
            definition: &DEFINITION,
            interface,
        }]
    }
}

impl Methods for Misbehaving {
    fn call(&self, call: &mut Call<'_>) -> varlink::Result<()> {
        let method = call
            .request
            .unwrap()
            .method
            .rsplit('.')
            .next()
            .unwrap()
            .to_owned();
        match method.as_str() {
            "Panic" => panic!("the method panicked"),
            "Silent" => return Ok(()),
            "Half" => {
                call.set_continues(true);
                answer(call, "part")?;
                panic!("the method panicked");
            }
            "Wait" => {
                self.1.fetch_add(1, Ordering::SeqCst);
                assert_eq!(self.wait(PollTimeout::NONE), Woken::Stopped);
                self.1.fetch_sub(1, Ordering::SeqCst);
            }
            "Slow" => assert_eq!(self.wait(1000_u16.into()), Woken::TimedOut),
            "Flood" => {
                call.set_continues(true);
                while answer(call, &"x".repeat(1 << 20)).is_ok() {}
                return Ok(());
            }
            _ => {}
        }
        answer(call, &method)
    }
}

impl Misbehaving {
    /// "Wait" ends with the caller or the daemon; "Slow" minds nothing but its caller.
    fn wait(&self, time: PollTimeout) -> Woken {
        let cancel = self.0.cancel();
        let readable = cancel.shutdown.filter(|_| time.is_none());
        wait_readable(
            &[],
            &Stop {
                hang_up: cancel.peer,
                readable,
            },
            time,
        )
        .unwrap()
    }
}

fn answer(call: &mut Call<'_>, text: &str) -> varlink::Result<()> {
    reply(call, &json!({ "text": text }))
}

/// The fake service, served.
pub(crate) struct Served {
    folder: TempDir,
    waiting: Waiting,
    stop: Option<UnixStream>,
    server: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let address = Address::Path(folder.path().join("socket"))
            .to_kernel()
            .unwrap();
        let listener = Listener::bind_unix(&address).unwrap();
        let (stop, stopped) = UnixStream::pair().unwrap();
        let waiting = Waiting::default();
        let server = Server::new(Fake(Arc::clone(&waiting)), Access::new(&[])).unwrap();
        let server = Some(thread::spawn(move || {
            server.run(listener, stopped.as_fd()).unwrap();
        }));
        Self {
            folder,
            waiting,
            stop: Some(stop),
            server,
        }
    }

    /// Waits until so many calls of "Wait" are under way.
    pub(crate) fn expect_waiting(&self, count: usize) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.waiting.load(Ordering::SeqCst) != count {
            assert!(Instant::now() < end, "{:?} calls wait", self.waiting);
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn connect(&self) -> FakeClient {
        let address = SocketAddr::from_pathname(self.folder.path().join("socket")).unwrap();
        let stream = UnixStream::connect_addr(&address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        FakeClient(BufReader::new(stream))
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self) {
        self.stop = None;
        self.server.take().unwrap().join().unwrap();
    }
}

pub(crate) struct FakeClient(BufReader<UnixStream>);

impl FakeClient {
    pub(crate) fn send(&mut self, method: &str) {
        use std::io::Write;
        let call = json!({"method": format!("org.example.fake.{method}"), "more": true});
        write!(self.0.get_mut(), "{call}\0").unwrap();
    }

    pub(crate) fn receive(&mut self) -> Option<Value> {
        let mut message = Vec::new();
        self.0.read_until(0, &mut message).unwrap();
        message
            .pop()
            .map(|_| serde_json::from_slice(&message).unwrap())
    }

    pub(crate) fn ask(&mut self, method: &str) -> Value {
        self.send(method);
        self.receive().unwrap()
    }

    pub(crate) fn is_fine(&mut self) -> bool {
        self.ask("Fine") == json!({"parameters": {"text": "Fine"}})
    }
}
