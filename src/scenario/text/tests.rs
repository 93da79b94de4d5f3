use super::super::sample::random_scenarios;
use super::*;

#[test]
fn the_example_of_the_brief_is_read() {
    let source = "\
coroner 1
# C01: a callback
bug: C01 bpo-38006
source: known-bugs C01, row A01
expect cpython-3.7.6: digest=0123456789abcdef violations=I15:collector,I01:collector
expect cpython-3.8.7: digest=fedcba9876543210 violations=none facts=freed(a),returned=2

def C():
    look()

tok = Node(call=C)
a = Node()
y = Node(gc=no)  # NoHeader
z = Node()
wz = ref(z, tok)
a[0] = a
a[1] = y

# the cycle goes
del a
x = deref(wz)
collect(2)
";
    let document = parse(source).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(|e| e.render("x.scn", source, false)).collect::<Vec<_>>().join("\n"))
    });
    assert_eq!(document.print(), source.replace("I15:collector,I01:collector", "I01:collector,I15:collector"));
}

#[test]
fn printing_and_reading_gives_the_normal_form() {
    let mut ops = 0;
    for (seed, scenario) in random_scenarios(3000) {
        let normal = scenario.normalize();
        ops += normal.ops().len();
        let printed = print(&scenario);
        let document = parse(&printed).unwrap_or_else(|e| panic!("seed {seed}\n{}", e[0].render("", &printed, false)));
        assert_eq!(document.scenario, normal, "seed {seed}\n{printed}");
        assert_eq!(document.warnings, [], "seed {seed}\n{printed}");
        assert_eq!(document.print(), printed, "seed {seed}");
    }
    assert!(ops > 30_000, "{ops}");
}
