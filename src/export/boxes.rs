//! Owners without GC header: in Python a code object, which owns the tuple of its constants and cannot be seen through.
//!
//! It cannot change once it is made: it is made where the last of its slots was stored to.

use crate::scenario::{Base, Finalizer, Kind, NODE_SLOTS, Op, Place, Shape, SlotSet, Tracking};

/// A place in a code object with the place of its constants.
const CONSTANTS: u8 = 0;

/// True if objects of a kind become code objects: they have no GC header, or a `traverse` that reports nothing.
pub fn is_box(kind: &Kind) -> bool {
    kind.shape.is_extension() && (kind.tracking == Tracking::NoHeader || kind.hidden == SlotSet::ALL)
}

/// The kind that stands for a code object.
pub fn kind() -> Kind {
    Kind { tracking: Tracking::NoHeader, ..Kind::new(Shape::Node) }
}

/// Makes code objects of all owners without GC header in the main body. `object` is the shape of what has a finalizer
/// besides; `next` is the first variable that is free.
///
/// # Errors
/// If one is changed after it was used.
pub fn make(bodies: &mut [Vec<Op>], object: Shape, next: &mut u16) -> Result<(), String> {
    if bodies[1..].iter().flatten().any(|op| op.kind().is_some_and(is_box)) {
        return Err("a script makes an owner without GC header, and a code object cannot change once it is made".into());
    }
    let (scripts, main) = (bodies[1..].concat(), &mut bodies[0]);
    let mut at = 0;
    while at < main.len() {
        match main[at] {
            Op::New { dst, kind, .. } if is_box(&kind) => at = one(main, &scripts, at, (dst, kind), object, next)?,
            _ => at += 1,
        }
    }
    Ok(())
}

/// One of them; the index behind what replaces it.
fn one(
    main: &mut Vec<Op>,
    scripts: &[Op],
    at: usize,
    (dst, kind): (Place, Kind),
    object: Shape,
    next: &mut u16,
) -> Result<usize, String> {
    if kind.on_call.is_some() || kind.on_dealloc.is_some() {
        return Err("an object without GC header that runs code cannot be made in Python".to_owned());
    }
    if let Some(Finalizer::Modern(script)) = kind.finalizer {
        return with_finalizer(
            main,
            at,
            dst,
            Kind { finalizer: Some(Finalizer::Modern(script)), ..Kind::new(object) },
            next,
        );
    }
    let slot_of = |place: Place| place.split().filter(|(holder, _)| *holder == dst).map(|(_, slot)| slot);
    if scripts.iter().any(|op| uses(op, |place| slot_of(place).is_some())) {
        return Err("a script reads or changes the slots of an owner without GC header".to_owned());
    }
    // The stores to its slots, up to where the place holds something else.
    let end = (at + 1..main.len()).find(|i| main[*i].target() == Some(dst)).unwrap_or(main.len());
    let mut contents: [Option<Place>; NODE_SLOTS as usize] = [None; NODE_SLOTS as usize];
    let mut stores = Vec::new();
    for (i, op) in main.iter().enumerate().take(end).skip(at + 1) {
        match *op {
            Op::Set { dst: place, src } if slot_of(place).is_some() => {
                if src.is_nothing() {
                    return Err("an owner without GC header is emptied, and a code object cannot change".to_owned());
                }
                contents[slot_of(place).unwrap_or(0) as usize % NODE_SLOTS as usize] = Some(src);
                stores.push(i);
            }
            op if uses(&op, |place| slot_of(place).is_some()) => {
                return Err("the slots of an owner without GC header are read".to_owned());
            }
            _ => {}
        }
    }
    let items: Vec<Place> = contents.into_iter().flatten().collect();
    let Some(&last) = stores.last() else { return Ok(at + 1) };
    if items.len() > 2 {
        return Err("an owner without GC header has more than two slots in use".to_owned());
    }
    let is_used = |i: usize| i != at && !stores.contains(&i) && uses(&main[i], |place| place == dst);
    if (at + 1..last).any(is_used) {
        return Err("an owner without GC header is used before its last slot is stored to".to_owned());
    }
    // What it holds must still be there.
    for (i, op) in main.iter().enumerate().take(last).skip(at) {
        if !stores.contains(&i) && items.iter().any(|item| op.target() == Some(*item)) && stores[0] < i {
            return Err("what an owner without GC header holds is let go before its last slot is stored to".to_owned());
        }
    }
    let items = [items[0], items.get(1).copied().unwrap_or(Place::NOTHING)];
    let made = [Op::New { dst, kind: self::kind(), items: [Place::NOTHING; 2] }, constants(dst, items)];
    main.splice(last..=last, made);
    for i in stores.iter().rev().skip(1).copied().chain([at]) {
        main.remove(i);
    }
    Ok(last + 2 - stores.len())
}

fn constants(owner: Place, items: [Place; 2]) -> Op {
    Op::New { dst: owner.slot(CONSTANTS), kind: Kind::new(Shape::Tuple), items }
}

/// An object without GC header that has a finalizer: an object with that finalizer, behind a code object wherever
/// another one holds it.
fn with_finalizer(main: &mut Vec<Op>, at: usize, dst: Place, kind: Kind, next: &mut u16) -> Result<usize, String> {
    let boxed = |to: Place, object: Place| {
        let made = Op::New { dst: to, kind: self::kind(), items: [Place::NOTHING; 2] };
        [made, constants(to, [object, Place::NOTHING])]
    };
    let new = |dst| Op::New { dst, kind, items: [Place::NOTHING; 2] };
    if !dst.is_bare() {
        let inner = Place::of(Base::Var(*next));
        *next += 1;
        let [made, holds] = boxed(dst, inner);
        main.splice(at..=at, [new(inner), made, holds, Op::Set { dst: inner, src: Place::NOTHING }]);
        return Ok(at + 4);
    }
    main[at] = new(dst);
    let mut i = at + 1;
    while i < main.len() && main[i].target() != Some(dst) {
        match main[i] {
            Op::Set { dst: to, src } if src == dst && !to.is_bare() => {
                main.splice(i..=i, boxed(to, dst));
                i += 2;
            }
            _ => i += 1,
        }
    }
    Ok(at + 1)
}

/// True if an operation names such a place.
fn uses(op: &Op, mut is_meant: impl FnMut(Place) -> bool) -> bool {
    let (mut copy, mut found) = (*op, false);
    copy.for_each_place(|place| {
        let mut part = Some(*place);
        while let Some(place) = part {
            found |= is_meant(place);
            part = place.split().map(|(holder, _)| holder);
        }
    });
    found
}
