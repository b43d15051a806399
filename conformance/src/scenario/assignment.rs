//! Pairs the elements of a pattern with those of a value, each at most once.

/// The largest pairing of `left` things with `right` things by Kuhn's algorithm: for each right
/// thing its left partner. Asks `fits(left, right)` once per pair.
pub(crate) fn pair(
    left: usize,
    right: usize,
    mut fits: impl FnMut(usize, usize) -> bool,
) -> Vec<Option<usize>> {
    let choices: Vec<Vec<usize>> = (0..left)
        .map(|one| (0..right).filter(|other| fits(one, *other)).collect())
        .collect();
    let mut partners = vec![None; right];
    for start in 0..left {
        augment(start, &choices, &mut partners);
    }
    partners
}

/// Finds the left thing `start` a partner, moving others along a shortest chain where needed.
fn augment(start: usize, choices: &[Vec<usize>], partners: &mut [Option<usize>]) {
    // Who led to a right thing; a queue instead of recursion keeps the stack flat.
    let mut led_by: Vec<Option<usize>> = vec![None; partners.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(one) = queue.pop_front() {
        for &other in choices.get(one).into_iter().flatten() {
            let Some(seen @ None) = led_by.get_mut(other) else {
                continue;
            };
            *seen = Some(one);
            match partners.get(other).copied().flatten() {
                Some(next) => queue.push_back(next),
                None => return shift(start, other, &led_by, partners),
            }
        }
    }
}

/// Gives every left thing along the chain that ends at a free right thing its new partner.
fn shift(start: usize, free: usize, led_by: &[Option<usize>], partners: &mut [Option<usize>]) {
    let mut other = free;
    while let Some(one) = led_by.get(other).copied().flatten() {
        let before = partners.iter().position(|partner| *partner == Some(one));
        if let Some(partner) = partners.get_mut(other) {
            *partner = Some(one);
        }
        match before {
            Some(previous) if one != start => other = previous,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(vec![vec![0, 1], vec![0]], 2, 2)]
    #[case(vec![vec![0], vec![0, 1], vec![1, 2]], 3, 3)]
    #[case(vec![vec![2, 1, 0], vec![2, 1], vec![2]], 3, 3)]
    #[case(vec![vec![0], vec![0]], 2, 1)]
    #[case(vec![], 1, 0)]
    fn a_largest_pairing_is_found(
        #[case] choices: Vec<Vec<usize>>,
        #[case] right: usize,
        #[case] expected: usize,
    ) {
        let partners = pair(choices.len(), right, |one, other| {
            choices[one].contains(&other)
        });
        let paired: Vec<_> = partners.iter().flatten().collect();
        assert_eq!(paired.len(), expected);
        for (other, one) in partners.iter().enumerate() {
            assert!(one.is_none_or(|one| choices[one].contains(&other)));
        }
        let distinct: std::collections::BTreeSet<_> = paired.iter().collect();
        assert_eq!(distinct.len(), paired.len());
    }
}
