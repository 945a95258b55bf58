use super::*;

fn numbers(mut draw: Draw) -> Vec<u64> {
    (0..100).map(|_| draw.next_u64()).collect()
}

#[test]
fn a_seed_draws_the_same_for_ever() {
    let mut draw = Draw::from_seed(1);
    assert_eq!([(); 3].map(|()| draw.next_u64()), FIRST_OF_SEED_1, "plans of older versions would mean something else");
    let mut draw = Draw::stream(1, "network");
    assert_eq!(
        [(); 3].map(|()| draw.next_u64()),
        FIRST_OF_NETWORK_1,
        "plans of older versions would mean something else"
    );
}

const FIRST_OF_SEED_1: [u64; 3] = [7424550030962593201, 1482817706323250795, 11004592982271133285];
const FIRST_OF_NETWORK_1: [u64; 3] = [5462895131263834214, 7518970358759724444, 8163679269454799964];

#[test]
fn streams_of_a_seed_share_nothing() {
    let streams = [Draw::from_seed(7), Draw::stream(7, "disk"), Draw::stream(7, "network"), Draw::stream(8, "network")]
        .map(numbers);
    let mut all: Vec<u64> = streams.concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 400);
    assert_eq!(numbers(Draw::stream(7, "disk")), streams[1]);
}

#[test]
fn the_hash_of_a_label_is_fnv_1a() {
    // Test vectors of the authors' own code.
    assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv_1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn below_reaches_every_number_as_often_and_no_other() {
    let mut draw = Draw::from_seed(1);
    let mut seen = [0; 5];
    for _ in 0..1000 {
        seen[draw.below(5)] += 1;
    }
    assert!(seen.iter().all(|times| (150..250).contains(times)), "{seen:?}");
}

#[test]
fn between_stays_in_its_bounds_and_reaches_both_ends() {
    let mut draw = Draw::from_seed(1);
    let drawn: Vec<u64> = (0..1000).map(|_| draw.between(3, 6)).collect();
    for expected in 3..=6 {
        assert!(drawn.contains(&expected), "{expected} never came");
    }
    assert!(drawn.iter().all(|number| (3..=6).contains(number)));
    assert_eq!(draw.between(4, 4), 4);
    assert_eq!(draw.between(5, 4), 5);
    assert!((0..100).any(|_| draw.between(0, u64::MAX) > u64::MAX / 2));
}

#[test]
fn chances_come_as_often_as_they_say() {
    let mut draw = Draw::from_seed(3);
    let times = (0..10_000).filter(|_| draw.chance(30)).count();
    assert!((2800..3200).contains(&times), "{times} of 10,000 are not 30%");
    let times = (0..100_000).filter(|_| draw.per_mille(5)).count();
    assert!((400..600).contains(&times), "{times} of 100,000 are not 5 per mille");
    assert!((0..1000).all(|_| draw.chance(100) && !draw.chance(0) && draw.per_mille(1000) && !draw.per_mille(0)));
}

#[test]
fn exponential_times_have_their_mean_and_their_tail() {
    let mut draw = Draw::from_seed(4);
    let count = 200_000;
    let mut times: Vec<u64> = (0..count).map(|_| draw.exponential(10_000)).collect();
    let mean = times.iter().sum::<u64>() / count;
    assert!((9_900..10_100).contains(&mean), "{mean}");
    times.sort_unstable();
    let at = |share: f64| times[(share * count as f64) as usize] as f64;
    for share in [0.01, 0.1, 0.5, 0.9, 0.99, 0.999] {
        let expected = -(1.0_f64 - share).ln() * 10_000.0;
        assert!((at(share) - expected).abs() < 0.05 * expected + 50.0, "{share}: {} is not {expected}", at(share));
    }
    assert!((0..1000).all(|_| draw.exponential(u64::MAX) > 1 << 32 && draw.exponential(0) == 0));
}

#[test]
fn a_shuffle_keeps_every_item_and_reaches_every_order() {
    let mut draw = Draw::from_seed(5);
    let mut orders = std::collections::BTreeMap::new();
    for _ in 0..600 {
        let mut items = [1, 2, 3];
        draw.shuffle(&mut items);
        *orders.entry(items).or_insert(0) += 1;
    }
    assert_eq!(orders.len(), 6);
    assert!(orders.values().all(|times| (60..140).contains(times)), "{orders:?}");
}

#[test]
fn a_deck_deals_every_card_before_it_repeats_one() {
    let mut draw = Draw::from_seed(2);
    let mut deck = Deck::new(vec![1, 2, 3, 4]);
    for _ in 0..10 {
        let mut hand: Vec<i32> = (0..4).map(|_| deck.deal(&mut draw)).collect();
        hand.sort_unstable();
        assert_eq!(hand, [1, 2, 3, 4]);
    }
}
