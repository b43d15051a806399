//! Clients that want the same names all come to an end: one at a time has a name, and nothing is left of any.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod served;

use std::{
    collections::HashMap,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use served::support::Client;

const CLIENTS: usize = 8;
/// Rounds of each client.
const ROUNDS: usize = 200;
const NAMES: [&str; 3] = ["one", "two", "three"];

/// Who holds a name now.
#[derive(Default)]
struct Holders(Mutex<HashMap<&'static str, String>>);

impl Holders {
    fn won(&self, name: &'static str, id: &str) {
        let before = self.0.lock().unwrap().insert(name, id.to_owned());
        assert_eq!(before, None, "{name} was given to two");
    }

    /// To be called before the removal is asked for.
    fn gives_back(&self, name: &'static str, id: &str) {
        let held = self.0.lock().unwrap().remove(name);
        assert_eq!(held.as_deref(), Some(id));
    }
}

#[test]
fn of_eight_clients_that_want_the_same_names_one_at_a_time_has_each() {
    let host = served::Host::new();
    let holders = Holders::default();
    let (next, barrier) = (Mutex::new(0), Barrier::new(CLIENTS));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = host.client();
                barrier.wait();
                for _ in 0..ROUNDS {
                    let turn = {
                        let mut next = next.lock().unwrap();
                        *next += 1;
                        *next
                    };
                    let name = NAMES[turn % NAMES.len()];
                    take_a_turn(&mut client, &host.image, name, &holders);
                }
            });
        }
    });
    assert!(host.containers().is_empty());
    let images = host.call("ListImages", &json!({}));
    assert_eq!(images["images"][0]["containers"], 0);
    let left = served::left::of_engine(&host.root(), &host.runroot());
    assert!(left.is_empty(), "{left:?}");
}

/// Who gets the name starts, kills and removes the container; who does not disturbs the one that has it.
fn take_a_turn(client: &mut Client, image: &str, name: &'static str, holders: &Holders) {
    let mut call = |method: &str, parameters: &Value| served::try_call(client, method, parameters);
    let named = json!({ "name": name });
    let create = served::request(image, Some(name), "exec sleep 1000");
    match call("CreateContainer", &create) {
        Ok(reply) => {
            let id = reply["container"].as_str().unwrap();
            holders.won(name, id);
            for (method, parameters) in [
                ("StartContainer", json!({ "name": id })),
                ("KillContainer", json!({ "name": id, "signal": 9 })),
            ] {
                if let Err(refusal) = call(method, &parameters) {
                    assert_eq!(refusal.error, "ErrorOccurred", "{method}: {refusal:?}");
                }
            }
            holders.gives_back(name, id);
            let remove = json!({ "name": id, "force": true });
            assert_eq!(call("RemoveContainer", &remove).unwrap()["container"], id);
        }
        Err(refusal) => {
            assert_eq!(refusal.error, "ErrorOccurred", "{refusal:?}");
            let reason = refusal.parameters["reason"].as_str().unwrap();
            assert!(reason.contains("already in use"), "{reason}");
            for method in ["StartContainer", "GetContainer", "KillContainer"] {
                if let Err(refusal) = call(method, &named) {
                    let known = ["ErrorOccurred", "ContainerNotFound"];
                    assert!(known.contains(&refusal.error.as_str()), "{refusal:?}");
                }
            }
        }
    }
}

#[test]
fn a_list_that_meets_removals_is_answered_and_nothing_is_complained_of() {
    let host = served::Host::new();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut client = host.client();
                while !done.load(Ordering::Relaxed) {
                    served::try_call(&mut client, "ListContainers", &json!({})).unwrap();
                }
            });
        }
        for _ in 0..12 {
            let id = host
                .run("for n in $(seq 100); do mkdir -p /d/$n; done; echo ready; exec sleep 1000");
            served::until("its files", || !host.log(&id).is_empty());
            // Killed, it is to be measured anew; by then it is being removed.
            host.remove(&id);
        }
        done.store(true, Ordering::Relaxed);
    });
    let said = host.said();
    assert!(!said.contains("WARN"), "{said}");
}
