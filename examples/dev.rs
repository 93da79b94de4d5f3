use coroner::{collector::Collector, run::Machine, event::*, scenario::text};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let src = std::fs::read_to_string(&a[2]).unwrap();
    let doc = match text::parse(&src) { Ok(d) => d, Err(e) => { for d in e { println!("{}", d.render("x", &src, false)); } return } };
    let snaps = a.get(3).is_some();
    for name in a[1].split(',') {
        let c = Collector::parse(name).unwrap();
        let mut ev: Vec<Event> = vec![];
        Machine::new(&c).run(&doc.scenario, &mut ev);
        print!("{}: ", c.name);
        for e in &ev { match e {
            Event::Snapshot|Event::State{..}|Event::Weak{..} if !snaps => {}
            Event::New{..}|Event::StoreVar{..}|Event::StoreSlot{..}|Event::Step{..}|Event::NewWeak{..} if !snaps => {}
            Event::Clear{object} => print!("clear:{object} "), Event::Dealloc{object}=>print!("dealloc:{object} "), Event::Free{object}=>print!("free:{object} "),
            Event::CollectEnd{returned,uncollectable,..} => print!("n={returned}/{uncollectable} "),
            Event::Enter{code,owner,arg} => print!("<{code:?} {owner} {}", arg.map_or(String::new(), |a|a.to_string()+" ")), Event::Leave => print!("> "),
            Event::Answer{weak,referent} => print!("{weak}()={} ", referent.map_or("None".into(), |a|a.to_string())),
            Event::Saw{object,..} => print!("saw:{object} "),
            Event::CollectStart{generation,..} => print!("gc{generation} "),
            e => print!("{e:?} "),
        } }
        println!();
    }
}
