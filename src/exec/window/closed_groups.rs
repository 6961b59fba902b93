//! Groups of closed sessions on their way out, in the order in which they come: end, then start, then first row.
//!
//! ```text
//!  ends, as they came      12  30  14  27  31  13          (one step of the wheel after the other, unsorted within)
//!  by the span of an end   [ 12  14  13 ]  [ ]  [ 30  27  31 ]
//!  sorted in each          [ 12  13  14 ]  [ ]  [ 27  30  31 ]
//! ```
//!
//! Rows that come a little late leave the ends in disorder near to where they belong. So groups are first dealt
//! out to as many spans of equal width as there are groups (one pass to count, one to deal, as in a radix sort),
//! and nearly every span has but a few to compare.

use super::slots::Member;
use crate::data::Position;
use crate::exec::Watermark;
use crate::exec::grouped::FirstRow;

/// A group of a session on its way out.
#[derive(Clone, Copy)]
pub(super) struct ClosedGroup {
    pub(super) end: i64,
    pub(super) start: i64,
    /// The number of the session's key.
    pub(super) partition: u32,
    pub(super) member: Member,
}

impl ClosedGroup {
    fn order(&self) -> (i64, i64, FirstRow) {
        (self.end, self.start, self.member.first)
    }
}

/// Groups that are gathered, sorted and given; kept for their memory.
#[derive(Clone, Default)]
pub(super) struct ClosedGroups {
    groups: Vec<ClosedGroup>,
    dealt: Vec<ClosedGroup>,
    /// By span: where its next group goes.
    places: Vec<u32>,
    /// The numbers of the groups as they are dealt out.
    order: Vec<u32>,
}

/// So few are sorted as they are.
const FEW: usize = 64;

impl ClosedGroups {
    /// Adds a group.
    #[inline]
    pub(super) fn push(&mut self, group: ClosedGroup) {
        self.groups.push(group);
    }

    /// The groups in order.
    pub(super) fn sorted(&mut self) -> &[ClosedGroup] {
        if !self.groups.is_sorted_by_key(ClosedGroup::order) {
            if self.groups.len() <= FEW {
                self.groups.sort_unstable_by_key(ClosedGroup::order);
            } else {
                self.sort_by_spans();
            }
        }
        &self.groups
    }

    /// Forgets the groups.
    pub(super) fn clear(&mut self) {
        self.groups.clear();
    }

    /// Bytes of memory.
    pub(super) fn size_bytes(&self) -> usize {
        (self.groups.capacity() + self.dealt.capacity()) * size_of::<ClosedGroup>()
            + (self.places.capacity() + self.order.capacity()) * size_of::<u32>()
    }

    fn sort_by_spans(&mut self) {
        let ends = || self.groups.iter().map(|group| group.end);
        let (Some(first), Some(last)) = (ends().min(), ends().max()) else {
            return;
        };
        let spans = self.groups.len().next_power_of_two();
        // The widest distance still has a span: less than `spans` after the shift.
        let distance_bits = u64::BITS - last.abs_diff(first).leading_zeros();
        let shift = distance_bits.saturating_sub(spans.ilog2());
        let span_of = |group: &ClosedGroup| (group.end.abs_diff(first) >> shift) as usize;
        let places = &mut self.places;
        places.clear();
        places.resize(spans, 0);
        for group in &self.groups {
            places[span_of(group)] += 1;
        }
        let mut next = 0;
        for place in places.iter_mut() {
            next += std::mem::replace(place, next);
        }
        self.order.resize(self.groups.len(), 0);
        for (number, group) in self.groups.iter().enumerate() {
            let place = &mut places[span_of(group)];
            self.order[*place as usize] = number as u32;
            *place += 1;
        }
        let in_order = (self.order.iter()).map(|&number| self.groups[number as usize]);
        self.dealt.clear();
        self.dealt.extend(in_order);
        // Now a place is where its span ends.
        let mut start = 0;
        for &end in places.iter() {
            let span = &mut self.dealt[start..end as usize];
            if span.len() > 1 {
                span.sort_unstable_by_key(ClosedGroup::order);
            }
            start = end as usize;
        }
        std::mem::swap(&mut self.groups, &mut self.dealt);
    }
}

/// The rows that closed groups, which are in the order of their ends: one way along the trail.
pub(super) fn causes(closed: &[ClosedGroup], watermark: &Watermark) -> Vec<Position> {
    let mut trail = &watermark.trail[..];
    let cause = |group: &ClosedGroup| {
        let time = group.end.saturating_sub(1);
        while let Some(((reached, _), behind)) = trail.split_first()
            && *reached < time
        {
            trail = behind;
        }
        trail.first().map_or(Position::MAX, |(_, row)| *row)
    };
    closed.iter().map(cause).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(ends: &[(i64, i64)]) -> Result<(), TestCaseError> {
        let group = |(place, &(end, start)): (usize, &(i64, i64))| ClosedGroup {
            end,
            start,
            partition: 0,
            member: Member {
                key: 0,
                slot: place as u32,
                first: (place as u64, place as u64),
            },
        };
        let mut closed = ClosedGroups::default();
        // Twice: memory of before is of no matter.
        for _ in 0..2 {
            closed.clear();
            let groups: Vec<ClosedGroup> = ends.iter().enumerate().map(group).collect();
            groups.iter().for_each(|group| closed.push(*group));
            let mut expected = groups;
            expected.sort_by_key(ClosedGroup::order);
            let slots = |groups: &[ClosedGroup]| -> Vec<u32> {
                groups.iter().map(|group| group.member.slot).collect()
            };
            prop_assert_eq!(slots(closed.sorted()), slots(&expected));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn groups_are_sorted_whatever_their_distances(
            ends in prop::collection::vec(
                (prop_oneof![0i64..400, 0i64..100_000, any::<i64>(), Just(i64::MAX), Just(i64::MIN)], 0i64..3),
                0..500,
            ),
        ) {
            check(&ends)?;
        }

        #[test]
        fn groups_near_their_places_are_sorted(
            ends in prop::collection::vec((0i64..40, 0i64..3), 0..1_000),
        ) {
            let near = |(place, &(end, start)): (usize, &(i64, i64))| (place as i64 + end, start);
            let ends: Vec<(i64, i64)> = ends.iter().enumerate().map(near).collect();
            check(&ends)?;
        }
    }
}
