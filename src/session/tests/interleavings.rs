//! The law of the upgrade: whatever the order in which things happen, every message of either side arrives, once
//! and in order.

use proptest::prelude::*;

use super::server::{Move, World};

/// The moves that are drawn from, with its weight.
const DRAWN: [(u8, Move); 21] = [
    (4, Move::ClientSays),
    (2, Move::ClientSaysBytes),
    (4, Move::ServerSays),
    (2, Move::ServerSaysBytes),
    (1, Move::Ping),
    (4, Move::PollArrives),
    (2, Move::AnswerPoll(1)),
    (1, Move::AnswerPoll(2)),
    (1, Move::AnswerPoll(3)),
    (4, Move::ReleasePoll),
    (4, Move::PollHome),
    (4, Move::PostArrives),
    (4, Move::AnswerPost),
    (4, Move::PostHome),
    (2, Move::Upgrade),
    (4, Move::Accept),
    (1, Move::Refuse),
    (6, Move::FrameUp),
    (6, Move::FrameDown),
    (1, Move::Break),
    (1, Move::Pause),
];

fn all() -> Vec<Move> {
    DRAWN.iter().flat_map(|(weight, step)| vec![*step; usize::from(*weight)]).collect()
}

fn moves(most: usize) -> impl Strategy<Value = Vec<Move>> {
    let all = all();
    proptest::collection::vec(0..all.len(), 0..=most)
        .prop_map(move |drawn| drawn.into_iter().map(|place| all[place]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn nothing_is_lost_doubled_or_reordered_across_an_upgrade(
        moves in moves(120)
    ) {
        let mut world = World::new();
        moves.into_iter().for_each(|step| world.take(step));
        world.settle();
        world.assert_complete();
    }

    #[test]
    fn an_upgrade_that_nobody_breaks_comes_to_its_end(
        before in moves(40),
        after in moves(40),
    ) {
        let harmless = |step: &Move| !matches!(step, Move::Refuse | Move::Break);
        let mut world = World::new();
        before.into_iter().filter(harmless).for_each(|step| world.take(step));
        world.take(Move::Upgrade);
        after.into_iter().filter(harmless).for_each(|step| world.take(step));
        world.settle();
        world.assert_complete();
        prop_assert_eq!((world.upgrades, world.failures), (1, 0));
        prop_assert!(!world.session.is_polling());
        for step in [Move::ClientSays, Move::ServerSaysBytes, Move::ClientSaysBytes, Move::ServerSays] {
            world.take(step);
        }
        world.settle();
        world.assert_complete();
    }
}

/// The random orders reach every stage: else the laws above would hold for the wrong reason.
#[test]
fn the_random_orders_reach_success_and_failure_of_upgrades() {
    let mut chance = fastrand::Rng::with_seed(7);
    let all = all();
    let (mut upgraded, mut failed) = (0, 0);
    for _ in 0..100 {
        let mut world = World::new();
        (0..120).for_each(|_| world.take(all[chance.usize(..all.len())]));
        upgraded += world.upgrades;
        failed += world.failures;
    }
    assert!(upgraded > 15 && failed > 15, "{upgraded} upgrades, {failed} failures");
}
