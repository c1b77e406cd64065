//! Seeds, from templates of both languages.

use std::fmt::Write as _;

use crate::folder::{Folder, MENU, SEED, expand, expand_with, file};

#[test]
fn what_go_says() {
    let expansion = expand(MENU);
    assert_eq!(
        file(&expansion, "seed_boot-1.yml").unwrap(),
        "#cloud-config\nhostname: boot-1\nruncmd:\n  - [setup, \"1\"]\n"
    );
    let template = r"{{- /* all there is */ -}}
{{.Name}} {{$.Rack.Name}} {{.Rack.ASN}} {{.Rack.ToR1.NodeInterface}} {{.Rack.ToR2.SpineAddresses}}
{{with .Rack.BootNode}}{{.Name}} {{.BastionAddress}} {{.Node1Address}} {{.Node2Address}}{{end}}
{{range .Rack.CSList}}{{.Name}} {{.Node1Address}} {{.Node2Address}}
{{end}}{{range $i, $s := .Rack.SSList}}{{$i}}={{$s.Name}} {{else}}none{{end}}
";
    let folder = Folder::usual().with("seed.template", template);
    let expansion = expand_with(MENU, &folder).unwrap_or_else(|problems| panic!("{problems}"));
    insta::assert_snapshot!(format!(
        "{}-----\n{}",
        file(&expansion, "seed_boot-0.yml").unwrap(),
        file(&expansion, "seed_boot-1.yml").unwrap()
    ));
}

#[test]
fn what_minijinja_says() {
    let template = "hostname: {{ name }}\nserial: {{ serial | quoted }}\n{% for cs in rack.cs %}\n- {{ cs.name }} {{ cs.addresses[0] }}\n{% endfor %}\n{{ cluster_id }} {{ proxy }} {{ pod }} {{ ntp | join(' ') }} {{ rack.bastion }} {{ rack.spine_addresses[1][0] }}\n";
    let folder = Folder::usual().with("seed.yml.j2", template);
    let menu = MENU.replace("seed.template", "seed.yml.j2");
    let expansion = expand_with(&menu, &folder).unwrap_or_else(|problems| panic!("{problems}"));
    insta::assert_snapshot!(file(&expansion, "seed_boot-1.yml").unwrap());
}

/// A menu without them, and a template that asks for them.
#[test]
fn what_the_menu_says_nothing_of_is_undefined() {
    let menu = [
        "  proxy: 10.0.49.3\n",
        "  pod: 10.64.0.0/14\n",
        "  ntp: 172.16.4.64/29\n",
        "cluster-id: two, ",
    ]
    .iter()
    .fold(MENU.replace("seed.template", "seed.j2"), |menu, line| {
        assert!(menu.contains(line), "{line}");
        menu.replace(line, "")
    });
    let mut all = String::new();
    for template in [
        "{{ cluster_id }}|{{ proxy }}|{{ pod }}\n",
        "a: {{ proxy }}\n",
        "a: {{ rack.name ~ pod }}\n",
        "{% if cluster_id %}\na\n{% endif %}\n",
        "a: {{ ntp[0] }}\n",
    ] {
        let folder = Folder::usual().with("seed.j2", template);
        let problems = expand_with(&menu, &folder).unwrap_err();
        writeln!(all, "{problems}").unwrap();
    }
    insta::assert_snapshot!(all);
    let template = "a: {% if proxy is defined %}{{ proxy }}{% else %}none{% endif %} {{ pod | default('no pod') }}\n{% for server in ntp %}\n- {{ server }}\n{% endfor %}\n";
    let folder = Folder::usual().with("seed.j2", template);
    let seed = |menu: &str| {
        let expansion = expand_with(menu, &folder).unwrap_or_else(|problems| panic!("{problems}"));
        file(&expansion, "seed_boot-0.yml").unwrap().to_owned()
    };
    assert_eq!(seed(&menu), "a: none no pod\n");
    assert_eq!(
        seed(&MENU.replace("seed.template", "seed.j2")),
        "a: 10.0.49.3 10.64.0.0/14\n- 172.16.4.65\n- 172.16.4.66\n"
    );
}

/// A template in use for years, in form: one expression in a cloud-config full of braces and quotes.
#[test]
fn what_is_no_action_stays_as_it_is() {
    let template =
        format!("{SEED}  - {{a: [1, '$x'], b: \"}}}} \\n\"}}\n# ünïcode {{ {{{{ \"{{{{\" }}}}\n");
    let folder = Folder::usual().with("seed.template", &template);
    let expansion = expand_with(MENU, &folder).unwrap_or_else(|problems| panic!("{problems}"));
    let seed = file(&expansion, "seed_boot-0.yml").unwrap();
    assert!(
        seed.ends_with("  - {a: [1, '$x'], b: \"}} \\n\"}\n# ünïcode { {{\n"),
        "{seed}"
    );
}

#[test]
fn templates_that_are_wrong_are_told_before_anything_is_written() {
    let cases = [
        ("not-closed", "a: {{.Name\nb: 1\n"),
        ("no-such-field", "a: {{.Rack.BootNode.Node3Address}}\n"),
        ("no-such-function", "a: {{upper .Name}}\n"),
        ("a-field-without-its-dot", "a: {{Name}}\n"),
        ("no-end", "a:\n{{if .Name}}\nb\n"),
        ("too-many-ends", "a: {{end}}\n"),
        ("range-over-a-number", "{{range .Rack.ASN}}x{{end}}\n"),
        ("printed-record", "ä ä: {{.Rack}}\n"),
        ("index-too-large", "a: {{index .Rack.CSList 7}}\n"),
        ("unlike-things", "{{if eq .Rack.Index \"0\"}}x{{end}}\n"),
        ("bad-verb", "{{printf \"%d\" .Name}}\n"),
        ("unknown-variable", "{{$x}}\n"),
        ("template-inside", "{{template \"x\"}}\n"),
        ("string-not-closed", "{{print \"x}}\n"),
        (
            "only-in-one-rack",
            "{{range .Rack.SSList}}{{.Serial}}{{end}}\n",
        ),
    ];
    let mut all = String::new();
    for (name, template) in cases {
        let folder = Folder::usual().with("seed.template", template);
        let problems = expand_with(MENU, &folder).unwrap_err();
        writeln!(all, "## {name}\n{problems}").unwrap();
    }
    for (name, template) in [
        ("j2-syntax", "a: {% if %}\n"),
        ("j2-undefined", "a: 1\nb: {{ rack.nmae }}\n"),
        ("j2-no-such-name", "a: {{ serail }}\n"),
        (
            "j2-no-such-name-of-a-server",
            "{% for cs in rack.cs %}\n- {{ cs.adresses[0] }}\n{% endfor %}\n",
        ),
        ("j2-no-such-name-in-a-sum", "a: {{ rack.name ~ nmae }}\n"),
        ("j2-no-such-element", "a: {{ rack.cs[7] }}\n"),
        ("j2-no-such-filter", "a: {{ name | upcase }}\n"),
        ("j2-not-ended", "{% if proxy is defined %}\na\n"),
    ] {
        let folder = Folder::usual().with("seed.j2", template);
        let problems = expand_with(&MENU.replace("seed.template", "seed.j2"), &folder).unwrap_err();
        writeln!(all, "## {name}\n{problems}").unwrap();
    }
    insta::assert_snapshot!(all);
}
