//! `lockstep PROFILE PYTHONS COUNT [SEED [JOBS]]`: compares the model with real interpreters on generated scenarios.

use coroner::collector::Collector;
use coroner::cpython::{Limits, compare_all, resolve};
use coroner::event::Undefined;
use coroner::generate::{Generator, Profile, Size};
use coroner::scenario::text;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [profile, pythons, count, rest @ ..] = args.as_slice() else {
        anyhow::bail!("usage: lockstep PROFILE PYTHONS COUNT [SEED [JOBS]]")
    };
    let profile = Profile::named(profile).ok_or_else(|| anyhow::anyhow!("no profile is called {profile}"))?;
    let seed = rest.first().map_or("1234", |seed| seed).parse().map_err(|_| anyhow::anyhow!("not a seed"))?;
    let jobs = rest.get(1).map_or(Ok(1), |jobs| jobs.parse())?;
    let make = |number| Generator::new(seed, profile, Size::Small).make(number);
    for interpreter in resolve(pythons)? {
        let collector = Collector::parse(&format!("cpython-{}", interpreter.release))?;
        let limits = Limits { scenario: std::time::Duration::from_secs(2), ..Limits::default() };
        let tally = compare_all(&collector, &interpreter, limits, jobs, count.parse()?, make)?;
        println!(
            "{} {}: same {} different {} unconfirmed {} unsupported {:?} limits {:?} undefined {:?}",
            profile.name,
            interpreter.name(),
            tally.same,
            tally.different.len(),
            tally.unconfirmed.len(),
            tally.unsupported,
            tally.limits,
            tally.undefined.iter().map(|(r, n)| (Undefined::ALL[usize::from(*r)], n)).collect::<Vec<_>>()
        );
        for (number, difference) in tally.different.iter().take(2) {
            println!("--- {} scenario {number} at {}: {:?}", interpreter.name(), difference.at, difference.failure);
            println!("{}", text::print(&make(*number)));
            difference.before.iter().for_each(|event| println!("    {event:?}"));
            println!("model: {:?}", &difference.model[..difference.model.len().min(4)]);
            println!("real:  {:?}", &difference.real[..difference.real.len().min(4)]);
        }
    }
    Ok(())
}
