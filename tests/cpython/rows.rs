//! Scenarios of rows of the behaviour table, built from nodes, weak references and scripts.

use coroner::scenario::{Base, Clear, Finalizer, Kind, Op, Place, Scenario, ScriptId, Shape, SlotSet, Tracking};

pub const NONE: Place = Place::NOTHING;
pub const OWNER: Place = Place::of(Base::Owner);
pub const ARG: Place = Place::of(Base::Arg);

pub fn v(var: u16) -> Place {
    Place::var(var)
}

pub fn node() -> Kind {
    Kind::new(Shape::Node)
}

pub fn no_header() -> Kind {
    Kind { tracking: Tracking::NoHeader, ..node() }
}

pub fn finalizing(script: u8) -> Kind {
    Kind { finalizer: Some(Finalizer::Modern(ScriptId(script))), ..node() }
}

pub fn legacy(script: u8) -> Kind {
    Kind { finalizer: Some(Finalizer::Legacy(ScriptId(script))), ..node() }
}

pub fn calling(script: u8) -> Kind {
    Kind { on_call: Some(ScriptId(script)), ..node() }
}

pub fn unclearable() -> Kind {
    Kind { clear: Clear::Missing, ..node() }
}

pub fn new(dst: Place, kind: Kind) -> Op {
    Op::New { dst, kind, items: [NONE; 2] }
}

pub fn weak(dst: Place, referent: Place, callback: Place) -> Op {
    Op::New { dst, kind: Kind::new(Shape::Ref), items: [referent, callback] }
}

pub fn proxy(dst: Place, referent: Place, callback: Place) -> Op {
    Op::New { dst, kind: Kind::new(Shape::Proxy), items: [referent, callback] }
}

pub fn keyed(dst: Place, referent: Place, callback: Place) -> Op {
    Op::New { dst, kind: Kind::new(Shape::KeyedRef), items: [referent, callback] }
}

pub fn set(dst: Place, src: Place) -> Op {
    Op::Set { dst, src }
}

pub fn drop(dst: Place) -> Op {
    Op::Set { dst, src: NONE }
}

pub fn collect(generation: u8) -> Op {
    Op::Collect { generation }
}

/// The scenario of a row, by its name.
pub fn scenario(row: &str) -> Option<Scenario> {
    let (a, b, c, d, e, f) = (v(0), v(1), v(2), v(3), v(4), v(5));
    let drop_all = |n: u16| (0..n).map(|i| drop(v(i)));
    let with = |mut ops: Vec<Op>, n: u16, generation: u8| {
        ops.extend(drop_all(n));
        ops.push(collect(generation));
        ops
    };
    let bodies: Vec<Vec<Op>> = match row {
        // #1 tok, #2 z, #3 y, #4 a, #5 callback, #6 weak reference
        "A01" => vec![
            with(
                vec![
                    new(a, node()),
                    new(b, node()),
                    new(c, no_header()),
                    new(d, node()),
                    new(e, calling(0)),
                    set(c.slot(0), b),
                    set(e.slot(0), a),
                    weak(f, b, e),
                    set(d.slot(0), d),
                    set(d.slot(1), c),
                    set(d.slot(2), a),
                    set(d.slot(3), f),
                    set(a.slot(1), d),
                ],
                6,
                2,
            ),
            vec![Op::Look],
        ],
        // #1 o, #2 callback, #3 weak reference
        "C01" => vec![
            vec![new(a, finalizing(0)), new(b, calling(0)), weak(c, a, b), drop(a)],
            vec![Op::Deref { dst: NONE, weak: c }],
        ],
        "C03" => vec![
            vec![new(a, finalizing(0)), new(b, calling(0)), weak(c, a, b), set(a.slot(0), a), drop(a), collect(2)],
            vec![],
        ],
        // #1 x, #2 y
        "C13" => vec![
            vec![
                new(a, finalizing(0)),
                new(b, finalizing(1)),
                set(a.slot(0), a),
                set(b.slot(0), b),
                drop(a),
                drop(b),
                collect(2),
                collect(2),
            ],
            vec![set(c, OWNER)],
            vec![],
        ],
        // #1 a, #2 b, #3 c
        "D06" => vec![with(
            vec![
                new(a, node()),
                new(b, node()),
                new(c, node()),
                set(a.slot(0), b),
                set(b.slot(0), c),
                set(c.slot(0), a),
            ],
            3,
            2,
        )],
        "D07" => vec![vec![
            new(a, node()),
            new(b, node()),
            new(c, node()),
            set(c.slot(0), b),
            set(b.slot(0), a),
            drop(a),
            drop(b),
            collect(2),
            collect(2),
        ]],
        // Everything that nodes and weak references can do, for a look at the whole stream.
        "tour" => vec![
            vec![
                new(a, finalizing(0)),
                new(b, calling(1)),
                weak(c, a, b),
                weak(d, a, NONE),
                weak(e, a, NONE),
                proxy(f, a, NONE),
                proxy(v(6), a, b),
                keyed(v(7), a, b),
                set(v(7).slot(0), b),
                keyed(v(8), v(7), b),
                new(v(9), legacy(2)),
                set(v(9).slot(0), v(9)),
                set(v(9).slot(1), v(9)),
                drop(v(9)),
                Op::Look,
                Op::Scan,
                collect(0),
                Op::Call { callable: b },
                Op::AddGcCallback { callable: b },
                collect(1),
                Op::EmptyGcCallbacks,
                Op::Freeze,
                new(v(10), unclearable()),
                set(v(10).slot(3), v(10)),
                drop(v(10)),
                Op::SaveAll { on: true },
                collect(2),
                Op::SaveAll { on: false },
                Op::Unfreeze,
                drop(v(7)),
                drop(a),
                collect(2),
                Op::EmptyGarbage,
                Op::Build { dst: a, bulk: coroner::scenario::Bulk::Tree, kind: node(), count: 3 },
                Op::Repeat { times: 2, script: ScriptId(3) },
                drop(b),
            ],
            vec![Op::Look, Op::Deref { dst: NONE, weak: d }],
            vec![Op::Deref { dst: v(20), weak: ARG }, collect(2), Op::Raise],
            vec![],
            vec![
                new(v(11), Kind { hidden: SlotSet(1), on_dealloc: Some(ScriptId(0)), ..node() }),
                Op::Untrack { object: v(11) },
                Op::Track { object: v(11) },
                drop(v(11)),
                Op::Raise,
            ],
        ],
        _ => return None,
    };
    Some(Scenario::from_bodies(&bodies))
}
