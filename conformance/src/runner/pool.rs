//! Workers: scenarios in parallel, those that need the endpoint for themselves alone and last.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::Sender,
    },
    time::Instant,
};

use super::{
    cleanup,
    plan::Unit,
    race::Lost,
    session::Session,
    settings::Settings,
    stage::Stage,
    verdict::{self, Ran},
};
use crate::{
    endpoint::Deadline,
    event::{Outcome, Verdict},
    idl::Departure,
    scenario::ast::Need,
};

/// What a worker says.
pub(super) enum Said {
    /// A scenario began.
    Started(String),
    /// A scenario ended.
    Ended(Box<Outcome>),
    /// What the check of every reply found in a scenario, for the whole run.
    Collected(Vec<Departure>),
}

/// Runs all units.
pub(super) fn run(units: &[&Unit<'_>], stage: &Stage<'_>, settings: &Settings, out: &Sender<Said>) {
    let (alone, together): (Vec<&Unit<'_>>, Vec<&Unit<'_>>) =
        units.iter().partition(|unit| unit.needs(&Need::Exclusive));
    workers(&together, settings.jobs.get(), stage, settings, out);
    workers(&alone, 1, stage, settings, out);
}

fn workers(
    units: &[&Unit<'_>],
    jobs: usize,
    stage: &Stage<'_>,
    settings: &Settings,
    out: &Sender<Said>,
) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(unit, stage, settings, out);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(units.len()) {
            // With fewer threads than wished the run only takes longer.
            let _ = std::thread::Builder::new()
                .name("worker".to_owned())
                .spawn_scoped(scope, work);
        }
        work();
    });
}

fn one(unit: &Unit<'_>, stage: &Stage<'_>, settings: &Settings, out: &Sender<Said>) {
    // The receiver outlives the workers, so that nothing said is lost.
    let say = |said| drop(out.send(said));
    let not_run = |verdict, reason: &str| {
        verdict::not_run(unit, verdict, reason.to_owned(), &settings.command)
    };
    let ended = |outcome: Outcome| say(Said::Ended(Box::new(outcome)));
    if stage.interrupt.is_thrown() {
        return ended(not_run(Verdict::Skip, "interrupted"));
    }
    say(Said::Started(unit.id.clone()));
    if let (true, Some(Err(why))) = (unit.needs(&Need::Image), &stage.image) {
        let reason = format!("could not bring the probe image to the endpoint: {why}");
        return ended(not_run(Verdict::Error, &reason));
    }
    let (ran, collected) = scenario(unit, stage);
    say(Said::Collected(collected));
    ended(ran.outcome(unit, &settings.command));
}

fn scenario(unit: &Unit<'_>, stage: &Stage<'_>) -> (Ran, Vec<Departure>) {
    let started = Instant::now();
    let mut captures = stage.captures(unit.number);
    let prepared = unit.case.map_or(Ok(()), |case| captures.set_case(case));
    let time = unit.scenario.timeout.unwrap_or(stage.timeout);
    let deadline = Deadline::after(time).watching(Some(stage.interrupt));
    let mut session = Session::new(stage, unit.scenario, captures, deadline);
    let steps = match prepared {
        Ok(()) => caught(|| session.run()).unwrap_or_else(|why| Err(Lost::Harness(why))),
        Err(unknown) => Err(Lost::Harness(unknown.to_string())),
    };
    let strays = session.close();
    let (reached, captures) = session.take_cleanup();
    let fatal = std::mem::take(&mut session.record.fatal);
    let cleaned = caught(|| cleanup::run(stage, &reached, &captures, &mut session.record));
    let mut cleanup =
        cleaned.unwrap_or_else(|why| vec![super::finding::plain(format!("clean-up: {why}"))]);
    cleanup.append(&mut session.record.fatal);
    let fatal = if steps.is_ok() {
        [fatal, strays].concat()
    } else {
        fatal
    };
    let (verdict, reason, findings) = verdict::of_steps(steps, fatal);
    let transcript = session.record.take_transcript();
    let ran = Ran {
        verdict,
        reason,
        findings,
        cleanup,
        transcript,
        duration: started.elapsed(),
    };
    (ran, std::mem::take(&mut session.record.collected))
}

/// A fault of this program must not take the other scenarios' verdicts with it.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        format!(
            "a fault in the suite itself: {}",
            panic_text(payload.as_ref())
        )
    })
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic")
}
