use super::sample::random_scenarios;
use super::*;

fn var(index: u16) -> Place {
    Place::var(index)
}

fn node(dst: Place) -> Op {
    Op::New { dst, kind: Kind::new(Shape::Node), items: [Place::NOTHING; 2] }
}

fn main_of(ops: &[Op]) -> Vec<Op> {
    Scenario::from_bodies(&[ops]).normalize().main().to_vec()
}

#[test]
fn normalizing_twice_is_normalizing_once() {
    let mut scripts = 0;
    for (seed, scenario) in random_scenarios(3000) {
        let once = scenario.normalize();
        scripts += once.scripts();
        let again = once.normalize_traced();
        assert_eq!(again.scenario, once, "seed {seed}");
        assert!(again.vars.iter().zip(0..).all(|(old, new)| *old == new), "seed {seed}");
        assert!(again.scripts.iter().zip(0..).all(|(old, new)| old.0 == new), "seed {seed}");
    }
    assert!(scripts > 1000, "{scripts}");
}

#[test]
fn arbitrary_operations_are_normalized_without_panic() {
    let wild = |n: u64| {
        let place = |n: u64| match n % 5 {
            0 => Place::NOTHING,
            1 => Place::var((n >> 3) as u16),
            2 => Place::of(Base::Owner).slot((n % 64) as u8),
            3 => Place::of(Base::Arg),
            _ => Place::var((n % 9) as u16).slot(3).slot(63),
        };
        let mut kind = Kind::new(Shape::ALL[n as usize % Shape::ALL.len()]);
        kind.hidden = SlotSet(n as u8);
        kind.clear = Clear::Keeps(SlotSet((n >> 8) as u8));
        kind.on_call = Some(ScriptId((n >> 16) as u8));
        kind.finalizer = Some(Finalizer::Legacy(ScriptId((n >> 17) as u8)));
        match n % 7 {
            0 => Op::Set { dst: place(n >> 1), src: place(n >> 9) },
            1 => Op::Build { dst: place(n >> 2), bulk: Bulk::Ring, kind, count: (n >> 3) as u32 },
            2 => Op::Repeat { times: n as u8, script: ScriptId((n >> 8) as u8) },
            3 => Op::Raise,
            4 => Op::Collect { generation: n as u8 },
            _ => Op::New { dst: place(n >> 4), kind, items: [place(n >> 7), place(n >> 12)] },
        }
    };
    let mut state = 1_u64;
    for round in 0..500 {
        let mut bodies = Vec::new();
        for _ in 0..round % 90 {
            let body: Vec<Op> = (0..round % 11)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    wild(state >> 13)
                })
                .collect();
            bodies.push(body);
        }
        let once = Scenario::from_bodies(&bodies).normalize();
        assert_eq!(once.normalize(), once);
        assert_eq!(binary::decode(&binary::encode_to_vec(&once)), Ok(once.clone()));
        assert_eq!(text::parse(&text::print(&once)).map(|d| d.scenario), Ok(once));
    }
}

#[test]
fn a_variable_that_nothing_assigns_is_nothing() {
    assert_eq!(main_of(&[Op::Set { dst: var(3), src: Place::NOTHING }]), []);
    assert_eq!(main_of(&[Op::Set { dst: var(0), src: var(1) }, Op::Set { dst: var(1), src: var(0) }]), []);
    let kept = [node(var(0)), Op::Set { dst: var(0), src: Place::NOTHING }];
    assert_eq!(main_of(&kept), kept);
}

#[test]
fn what_has_no_effect_is_not_kept() {
    let of = |shape, items| Op::New { dst: var(0), kind: Kind::new(shape), items };
    let [a, none] = [var(0), Place::NOTHING];
    assert_eq!(main_of(&[of(Shape::Node, [a, a])]), [of(Shape::Node, [none; 2])]);
    assert_eq!(main_of(&[of(Shape::Cell, [a, a])]), [of(Shape::Cell, [a, none])]);
    let idle = |generation| Op::CollectAtAllocation { after: 0, generation };
    assert_eq!(main_of(&[idle(2)]), [idle(0)]);
    let set = |slot: u8| Op::Set { dst: var(0).slot(slot), src: none };
    assert_eq!(main_of(&[set(1)]), []);
}

#[test]
fn numbers_follow_the_first_use() {
    let ops = [node(var(7)), Op::Look, node(var(2)), Op::Set { dst: var(7).slot(1), src: var(2) }];
    let expected = [node(var(0)), Op::Look, node(var(1)), Op::Set { dst: var(0).slot(1), src: var(1) }];
    assert_eq!(main_of(&ops), expected);
}

#[test]
fn scripts_that_nothing_runs_go_and_the_rest_is_renumbered() {
    let with = |script| {
        let kind = Kind { on_call: script, ..Kind::new(Shape::Node) };
        Op::New { dst: var(0), kind, items: [Place::NOTHING; 2] }
    };
    let call = |n| with(Some(ScriptId(n)));
    let bodies = [vec![call(2), call(0), call(9)], vec![Op::Scan], vec![Op::Look], vec![Op::Freeze]];
    let trace = Scenario::from_bodies(&bodies).normalize_traced();
    assert_eq!(trace.scenario.to_bodies(), [vec![call(0), call(1), with(None)], vec![Op::Freeze], vec![Op::Scan]]);
    assert_eq!(trace.scripts, [ScriptId(2), ScriptId(0)]);
    assert_eq!(trace.ops, [0, 1, 2, 5, 3]);
}

#[test]
fn raise_ends_a_script_but_not_one_that_the_mutator_inlines() {
    let script = vec![Op::Raise, Op::Look];
    let finalized = Kind { finalizer: Some(Finalizer::Modern(ScriptId(0))), ..Kind::new(Shape::Node) };
    let new = Op::New { dst: var(0), kind: finalized, items: [Place::NOTHING; 2] };
    let cut = Scenario::from_bodies(&[vec![new], script.clone()]).normalize();
    assert_eq!(cut.body(1), [Op::Raise]);
    let repeat = Op::Repeat { times: 2, script: ScriptId(0) };
    let whole = Scenario::from_bodies(&[vec![new, repeat], script.clone()]).normalize();
    assert_eq!(whole.body(1), script);
}

#[test]
fn repeat_works_in_the_main_body_and_in_what_it_runs() {
    let repeat = |script| Op::Repeat { times: 2, script: ScriptId(script) };
    let nested = [vec![repeat(0)], vec![repeat(1)], vec![Op::Look]];
    assert_eq!(Scenario::from_bodies(&nested).normalize().to_bodies(), nested);
    let endless = [vec![repeat(0)], vec![repeat(1)], vec![repeat(0)]];
    assert_eq!(Scenario::from_bodies(&endless).normalize(), Scenario::new());
    let finalized = Kind { finalizer: Some(Finalizer::Modern(ScriptId(0))), ..Kind::new(Shape::Node) };
    let new = Op::New { dst: var(0), kind: finalized, items: [Place::NOTHING; 2] };
    let called = Scenario::from_bodies(&[vec![new], vec![repeat(1), Op::Scan], vec![Op::Look]]).normalize();
    assert_eq!(called.to_bodies(), [vec![new], vec![Op::Scan]]);
}

#[test]
fn operations_beyond_the_limit_do_not_exist() {
    let scenario = Scenario::from_bodies(&[vec![Op::Look; MAX_OPS + 5], vec![Op::Scan]]);
    assert_eq!(scenario.normalize().ops().len(), MAX_OPS);
}
