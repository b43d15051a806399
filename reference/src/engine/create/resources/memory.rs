//! Limits of memory, and what happens when it is short.

use super::{amount, figure};
use crate::{
    engine::request::ResourcesRequest,
    settings::{Amount, Resources},
    sys::limits::{may_exceed, oom_score_adj},
};

pub(super) fn read(request: &ResourcesRequest, resources: &mut Resources) -> Result<(), String> {
    let any = || 1..=u64::MAX;
    let memory = figure("memory", request.memory, any())?;
    resources.memory = memory;
    resources.memory_reservation = figure("memory_reservation", request.memory_reservation, any())?;
    resources.memory_swap = amount("memory_swap", request.memory_swap, 1)?;
    resources.kernel_memory = figure("kernel_memory", request.kernel_memory, any())?;
    // -1 is how the command line of 2018 leaves it out.
    let swappiness = request.memory_swappiness.filter(|given| *given != -1);
    resources.memory_swappiness = figure("memory_swappiness", swappiness, 1..=100)?;
    resources.disable_oomkiller = request.disable_oomkiller;
    if request.disable_oomkiller && memory.is_none() {
        return Err("resources.disable_oomkiller: true needs memory, too".into());
    }
    resources.shm_size = figure("shm_size", request.shm_size, any())?;
    resources.oom_score_adj = adjustment(request.oom_score_adj)?;
    together(resources)
}

fn together(resources: &Resources) -> Result<(), String> {
    let above_memory = |figure: u64| resources.memory.is_some_and(|memory| figure > memory);
    match resources.memory_reservation {
        Some(reservation) if above_memory(reservation) => Err(format!(
            "resources.memory_reservation: {reservation} is above memory"
        )),
        _ => swap_and_memory(resources.memory_swap, resources.memory),
    }
}

fn swap_and_memory(swap: Option<Amount>, memory: Option<u64>) -> Result<(), String> {
    match (swap, memory) {
        (None, _) | (Some(Amount::Unlimited), Some(_)) => Ok(()),
        (Some(Amount::Of(both)), Some(memory)) if both >= memory => Ok(()),
        (Some(Amount::Of(both)), Some(_)) => Err(format!(
            "resources.memory_swap: {both} is below memory, which it includes"
        )),
        (Some(Amount::Of(both)), None) => Err(format!(
            "resources.memory_swap: {both} includes memory, which is not given"
        )),
        (Some(Amount::Unlimited), None) => {
            Err("resources.memory_swap: -1 goes with memory, which is not given".into())
        }
    }
}

fn adjustment(given: Option<i64>) -> Result<Option<i32>, String> {
    let Some(given) = given else {
        return Ok(None);
    };
    let adjustment = i32::try_from(given)
        .ok()
        .filter(|adjustment| (-1000..=1000).contains(adjustment))
        .ok_or_else(|| format!("resources.oom_score_adj: {given} is not from -1000 to 1000"))?;
    let own = oom_score_adj().map_err(|error| format!("resources.oom_score_adj: {error}"))?;
    if adjustment < own && !may_exceed() {
        return Err(format!(
            "resources.oom_score_adj: {given} is below the service's own, {own}, and it may not go there"
        ));
    }
    Ok(Some(adjustment))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn checked(request: &ResourcesRequest) -> Result<Resources, String> {
        let mut resources = Resources::default();
        read(request, &mut resources).map(|()| resources)
    }

    #[rstest]
    #[case::alone(None, Some(4096), false)]
    #[case::unlimited_alone(None, Some(-1), false)]
    #[case::below(Some(8192), Some(4096), false)]
    #[case::equal(Some(4096), Some(4096), true)]
    #[case::unlimited(Some(4096), Some(-1), true)]
    fn swap_includes_memory(
        #[case] memory: Option<i64>,
        #[case] memory_swap: Option<i64>,
        #[case] taken: bool,
    ) {
        let checked = checked(&ResourcesRequest {
            memory,
            memory_swap,
            ..ResourcesRequest::default()
        });
        assert_eq!(checked.is_ok(), taken, "{checked:?}");
        if let Err(reason) = checked {
            assert!(reason.starts_with("resources.memory_swap: "));
        }
    }

    #[test]
    fn swappiness_minus_one_is_not_given() {
        let checked = checked(&ResourcesRequest {
            memory_swappiness: Some(-1),
            ..ResourcesRequest::default()
        });
        assert_eq!(checked, Ok(Resources::default()));
    }
}
