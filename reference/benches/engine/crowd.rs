//! Many containers from several clients at once, beside as many `runc run` from as many processes.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use serde_json::json;

use crate::{daemon::Daemon, runc::Bundle, table::Table};

const CONTAINERS: usize = 100;
const CLIENTS: usize = 8;

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let engine = rate(|| {
        let mut client = daemon.client();
        move |_| {
            let id = daemon.create(&mut client, &["exit", "0"]);
            let name = json!({ "name": id });
            client.call("StartContainer", &name);
            client.call("WaitContainer", &name);
            client.call("RemoveContainer", &json!({ "name": id, "force": false }));
            true
        }
    });
    let bundle = &Bundle::of(daemon);
    let runc = rate(|| move |number| bundle.run(&format!("crowd-{number}")).is_some());
    table.figure(
        &format!("{CONTAINERS} containers, {CLIENTS} clients"),
        engine.unwrap_or_default(),
        "/s",
        runc.map(|rate| ("runc run", rate)),
        ">= 2 x runc run",
    );
}

/// Runs a second, in which each client does its share; `None` if one did not do it.
fn rate<W: FnMut(usize) -> bool>(client: impl Fn() -> W + Sync) -> Option<f64> {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let done = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let mut work = client();
                    let mut numbers =
                        std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed))
                            .take_while(|number| *number < CONTAINERS);
                    numbers.all(&mut work)
                })
            })
            .collect();
        let done: Vec<bool> = clients
            .into_iter()
            .map(|c| c.join().expect("a client ends well"))
            .collect();
        !done.contains(&false)
    });
    done.then(|| CONTAINERS as f64 / began.elapsed().as_secs_f64())
}
