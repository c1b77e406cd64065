//! What templates of Go say, and what is said of those that are wrong.

use super::{Template, Value};

fn data() -> Value {
    let node = |name: &str| {
        Value::Record(
            "a node",
            vec![("Name", name.into()), ("Index", 7_u32.into())],
        )
    };
    Value::Record(
        "the data",
        vec![
            ("Name", "n".into()),
            ("Empty", "".into()),
            ("Zero", 0_u32.into()),
            ("Five", 5_u32.into()),
            ("Words", vec!["a", "b"].into()),
            ("None", Value::List(Vec::new())),
            ("Node", node("x")),
            ("Nodes", Value::List(vec![node("p"), node("q")])),
        ],
    )
}

fn render(text: &str) -> Result<String, String> {
    let template = Template::parse(text).map_err(|error| error.message)?;
    template.render(&data()).map_err(|error| error.message)
}

#[test]
fn what_is_said() {
    for (text, said) in [
        ("", ""),
        ("plain } text { }}", "plain } text { }}"),
        ("{{.Name}}", "n"),
        ("{{ .Name }}", "n"),
        ("{{\n.Name\n}}", "n"),
        ("a {{- .Name -}} b", "anb"),
        ("a \n\t{{- \" \" -}}\n b", "a b"),
        ("a{{/* no */}}b", "ab"),
        ("a {{- /* no */ -}} b", "ab"),
        ("{{-3}}", "-3"),
        ("{{.Node.Name}} {{$.Node.Index}}", "x 7"),
        ("{{.Words}} {{.Five}} {{true}}", "[a b] 5 true"),
        ("{{\"a\\tb\\\"\"}} {{`c\\n`}}", "a\tb\" c\\n"),
        ("{{if .Name}}y{{end}}", "y"),
        ("{{if .Empty}}y{{else}}n{{end}}", "n"),
        (
            "{{if .Zero}}a{{else if .None}}b{{else if .Five}}c{{else}}d{{end}}",
            "c",
        ),
        (
            "{{if eq .Five 5}}y{{end}}{{if ne .Name \"n\"}}z{{end}}",
            "y",
        ),
        ("{{if eq .Name \"a\" \"n\"}}y{{end}}", "y"),
        ("{{if and .Name (gt .Five 4) (not .Zero)}}y{{end}}", "y"),
        ("{{or .Empty .Name}} {{and .Five .Zero}}", "n 0"),
        // What does not count any more is not evaluated, as in Go since 1.18.
        ("{{or .Name .Nothing}} {{and .Zero .Nothing.More}}", "n 0"),
        (
            "{{if and .None (index .None 3)}}y{{end}}{{if or .Five (len .Zero)}}z{{end}}",
            "z",
        ),
        ("{{.Nodes | and .Zero}} {{.Empty | or .Zero}}", "0 "),
        (
            "{{lt 1 2}} {{le 2 2}} {{ge 1 2}} {{lt \"a\" \"b\"}}",
            "true true false true",
        ),
        ("{{range .Words}}<{{.}}>{{end}}", "<a><b>"),
        (
            "{{range $i, $w := .Words}}{{$i}}{{$w}}{{$.Name}} {{end}}",
            "0an 1bn ",
        ),
        ("{{range $w := .Words}}{{$w}}{{end}}", "ab"),
        ("{{range .None}}x{{else}}none{{end}}", "none"),
        (
            "{{range .Nodes}}{{.Name}}{{range $.Words}}{{.}}{{end}}{{end}}",
            "pabqab",
        ),
        (
            "{{with .Node}}{{.Name}}{{end}}{{with .Empty}}x{{else}}{{.Name}}{{end}}",
            "xn",
        ),
        ("{{with $n := .Node}}{{$n.Name}}{{.Index}}{{end}}", "x7"),
        (
            "{{$x := .Name}}{{$x}}{{range .Words}}{{$x = .}}{{end}}{{$x}}",
            "nb",
        ),
        ("{{len .Words}} {{len .Name}} {{len .None}}", "2 1 0"),
        ("{{index .Words 1}} {{(index .Nodes 0).Name}}", "b p"),
        ("{{.Five | printf \"%03d|%-3d|%x\" 7 8}}", "007|8  |5"),
        (
            "{{printf \"%s-%v %q %5s %t %%\" .Name .Five \"a\\\"b\" \"r\" true}}",
            "n-5 \"a\\\"b\"     r true %",
        ),
        (
            "{{print 1 2 \"a\" \"b\" 3}} {{println .Name 1}}",
            "1 2ab3 n 1\n",
        ),
        ("{{.Name | print | len}}", "1"),
    ] {
        assert_eq!(render(text), Ok(said.into()), "{text}");
    }
}

#[test]
fn what_is_refused() {
    for (text, said) in [
        ("{{", "an action is not closed"),
        ("{{.Name", "an action is not closed"),
        ("{{/* x", "an action is not closed"),
        ("{{/* x */ .Name}}", "a comment shares its action"),
        ("{{}}", "an action is empty"),
        ("{{\"a}}", "a string is not closed"),
        ("{{`a}}", "a string is not closed"),
        ("{{\"\\z\"}}", "the escape `\\z` is not supported"),
        ("{{1.5}}", "`1.5` is not a whole number"),
        ("{{&}}", "`&` means nothing in an action"),
        ("{{end}}", "`end` ends nothing"),
        ("{{else}}", "`else` belongs to nothing"),
        ("{{if .Name}}", "`if` has no `end`"),
        ("{{if .Name}}{{else}}", "`if` has no `end`"),
        (
            "{{if .Name}}{{else}}{{else}}{{end}}",
            "a block has two `else`",
        ),
        (
            "{{range .Words}}{{else if .Name}}{{end}}",
            "this `else` is not understood",
        ),
        ("{{if}}{{end}}", "a value is missing"),
        (
            "{{range $a, $b, $c := .Words}}{{end}}",
            "the variables of this `range` are not understood",
        ),
        ("{{define \"x\"}}{{end}}", "`define` is not supported here"),
        ("{{.Name .Five}}", "a value takes no arguments"),
        ("{{.Name | .Five}}", "only a function can follow `|`"),
        ("{{len (.Name}}", "a parenthesis is not closed"),
        ("{{len | }}", "a value is missing"),
        ("{{html .Name}}", "there is no function `html`"),
        ("{{len len}}", "`len` is no value"),
        ("{{len}}", "`len` takes 1 argument"),
        ("{{not 1 2}}", "`not` takes 1 argument"),
        ("{{.Nmae}}", "the data has no `Nmae`"),
        ("{{.Name.First}}", "a string has no fields, so no `First`"),
        ("{{$y}}", "there is no variable `$y`"),
        ("{{$y = 1}}", "there is no variable `$y`"),
        (
            "{{if .Name}}{{$y := 1}}{{end}}{{$y}}",
            "there is no variable `$y`",
        ),
        ("{{.Node}}", "this cannot be printed"),
        ("{{nil}}", "this cannot be printed"),
        ("{{range .Five}}{{end}}", "`range` goes over lists"),
        ("{{len .Five}}", "`len` is of strings and lists"),
        (
            "{{index .Words 2}}",
            "the list has no such element; numbers begin at 0",
        ),
        (
            "{{index .Words -1}}",
            "the list has no such element; numbers begin at 0",
        ),
        ("{{index .Words \"a\"}}", "`index` takes a list and numbers"),
        ("{{eq 1 \"1\"}}", "these cannot be compared"),
        ("{{printf 1}}", "`printf` begins with a format"),
        (
            "{{printf \"%d\"}}",
            "the format asks for more values than there are",
        ),
        (
            "{{printf \"x\" 1}}",
            "the format asks for fewer values than there are",
        ),
        ("{{printf \"%d\" .Name}}", "this verb is not supported"),
        ("{{printf \"%99999d\" 1}}", "this verb is not supported"),
        ("{{printf \"%\"}}", "the format ends in a `%`"),
    ] {
        assert_eq!(render(text), Err(said.into()), "{text}");
    }
}

#[test]
fn places_are_bytes_of_the_template() {
    let text = "é {{.Node.Nmae}}";
    let error = Template::parse(text)
        .map(|template| template.render(&data()))
        .ok();
    let error = error.and_then(Result::err).map(|error| error.range);
    assert_eq!(error.map(|range| &text[range]), Some(".Nmae"));
}

#[test]
fn nesting_has_an_end() {
    let deep = "{{if .Name}}".repeat(1_000);
    assert_eq!(render(&deep), Err("blocks are nested too deep".into()));
    let deep = format!("{{{{len {}}}}}", "(len ".repeat(1_000));
    assert!(render(&deep).is_err());
    let chain = format!(
        "{{{{if .Zero}}}}{}{{{{end}}}}",
        "{{else if .Zero}}".repeat(1_000)
    );
    assert_eq!(render(&chain), Err("blocks are nested too deep".into()));
}
