//! The Rust files of a crate, parsed: its modules, the names each of them holds, and every path that its code says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The path of a module from the root of its crate, which is empty.
pub type ModulePath = Vec<String>;

/// What stands on a node of the graph of imports: a file, or the `#[cfg(test)] mod tests { … }` in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub file: PathBuf,
    pub is_test: bool,
}

/// A module, in a file of its own or within one.
#[derive(Debug)]
pub struct Module {
    pub place: Place,
    /// The names of what is defined here.
    pub items: HashSet<String>,
    /// The names that `use` brings in, each with the paths it may stand for.
    pub uses: HashMap<String, Vec<ModulePath>>,
    /// The paths before `::*`.
    pub globs: Vec<ModulePath>,
}

/// A path that some code says.
#[derive(Debug)]
pub struct Mention {
    /// The module that says it.
    pub module: ModulePath,
    pub segments: Vec<String>,
    pub line: usize,
    pub is_test: bool,
}

/// A crate below a source root.
#[derive(Debug, Default)]
pub struct Tree {
    /// The name by which its own binaries know it.
    pub name: String,
    pub modules: BTreeMap<ModulePath, Module>,
    pub mentions: Vec<Mention>,
    /// The methods that are called, each a path of one name.
    pub calls: Vec<Mention>,
}

impl Tree {
    /// Parses every Rust file below a folder.
    pub fn parse(name: &str, root: &Path) -> Tree {
        let mut files: Vec<(PathBuf, String)> =
            rust_files(root).into_iter().map(|file| (file.clone(), read(&file))).collect();
        // Parents first: they say which of their modules are tests.
        files.sort_by_key(|(file, _)| module_of(root, file).len());
        Tree::of(name, root, &files)
    }

    /// Parses these files, whose paths begin with `root`.
    pub fn of(name: &str, root: &Path, files: &[(PathBuf, String)]) -> Tree {
        let mut tree = Tree { name: name.to_owned(), ..Tree::default() };
        let mut tests = HashSet::new();
        for (file, source) in files {
            let parsed =
                syn::parse_file(source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let module = module_of(root, file);
            let is_test = tests.contains(&module);
            let mut reader = Reader { tree: &mut tree, file, module, is_test, tests: &mut tests };
            reader.open();
            reader.visit_file(&parsed);
        }
        tree
    }
}

/// The module of a file. `main.rs` is one of its own beside `lib.rs`.
fn module_of(root: &Path, file: &Path) -> ModulePath {
    let below = file.strip_prefix(root).expect("a file below the root").with_extension("");
    let mut path: ModulePath = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod" || (last == "lib" && path.len() == 1)) {
        path.pop();
    }
    path
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a folder of the repository, without what cargo and npm put there.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() && !is_built(&path) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether a folder holds what a tool put there: the `target` beside a `Cargo.toml`, or `node_modules`.
fn is_built(folder: &Path) -> bool {
    folder.ends_with("node_modules")
        || folder.ends_with("target") && folder.with_file_name("Cargo.toml").is_file()
}

/// Reads one file into the tree.
struct Reader<'a> {
    tree: &'a mut Tree,
    file: &'a Path,
    module: ModulePath,
    is_test: bool,
    /// The modules that were declared behind `#[cfg(test)]`.
    tests: &'a mut HashSet<ModulePath>,
}

impl Reader<'_> {
    fn open(&mut self) {
        let module = Module {
            place: Place { file: self.file.to_owned(), is_test: self.is_test },
            items: HashSet::new(),
            uses: HashMap::new(),
            globs: Vec::new(),
        };
        self.tree.modules.insert(self.module.clone(), module);
    }

    fn here(&mut self) -> &mut Module {
        self.tree.modules.get_mut(&self.module).expect("it was opened")
    }

    fn mention(&mut self, segments: Vec<String>, line: usize) {
        let mention = Mention { module: self.module.clone(), segments, line, is_test: self.is_test };
        self.tree.mentions.push(mention);
    }

    fn call(&mut self, method: &syn::Ident) {
        let (module, segments) = (self.module.clone(), vec![method.to_string()]);
        let line = method.span().start().line;
        let call = Mention { module, segments, line, is_test: self.is_test };
        self.tree.calls.push(call);
    }

    fn define(&mut self, name: &syn::Ident) {
        let name = name.to_string();
        self.here().items.insert(name);
    }

    fn import(&mut self, prefix: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| {
            let mut path = prefix.to_vec();
            if name != "self" || prefix.is_empty() {
                path.push(name.to_string());
            }
            path
        };
        match tree {
            syn::UseTree::Path(path) => self.import(&with(&path.ident), &path.tree),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(prefix, tree);
                }
            }
            syn::UseTree::Name(name) => self.bind(with(&name.ident), None, &name.ident),
            syn::UseTree::Rename(as_) => self.bind(with(&as_.ident), Some(&as_.rename), &as_.ident),
            syn::UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                self.here().globs.push(prefix.to_vec());
                self.mention(prefix.to_vec(), line);
            }
        }
    }

    fn bind(&mut self, path: ModulePath, rename: Option<&syn::Ident>, at: &syn::Ident) {
        let name =
            rename.map(ToString::to_string).or_else(|| path.last().cloned()).expect("a path has a name");
        self.here().uses.entry(name).or_default().push(path.clone());
        self.mention(path, at.span().start().line);
    }

    /// The paths in the tokens of a macro, which are no syntax yet.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        let mut after_dot = false;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) => {
                    if colons < 2 {
                        self.finish(&mut path, line);
                    }
                    if path.is_empty() {
                        line = ident.span().start().line;
                    }
                    if after_dot {
                        // A field, unless arguments follow.
                        if matches!(tokens.peek(), Some(TokenTree::Group(_))) {
                            self.call(&ident);
                        }
                    } else {
                        path.push(ident.to_string());
                    }
                    (colons, after_dot) = (0, false);
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.finish(&mut path, line);
                    colons = 0;
                    after_dot = matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '.');
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.finish(&mut path, line);
    }

    fn finish(&mut self, path: &mut Vec<String>, line: usize) {
        if !path.is_empty() {
            self.mention(std::mem::take(path), line);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Const(item) => self.define(&item.ident),
            syn::Item::Enum(item) => self.define(&item.ident),
            syn::Item::Fn(item) => self.define(&item.sig.ident),
            syn::Item::Static(item) => self.define(&item.ident),
            syn::Item::Struct(item) => self.define(&item.ident),
            syn::Item::Trait(item) => self.define(&item.ident),
            syn::Item::Type(item) => self.define(&item.ident),
            syn::Item::Union(item) => self.define(&item.ident),
            syn::Item::Macro(syn::ItemMacro { ident: Some(name), .. }) => self.define(name),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = self.is_test || item.attrs.iter().any(is_for_tests);
        self.module.push(item.ident.to_string());
        if item.content.is_none() {
            if is_test {
                self.tests.insert(self.module.clone());
            }
        } else {
            let before = std::mem::replace(&mut self.is_test, is_test);
            self.open();
            visit::visit_item_mod(self, item);
            self.is_test = before;
        }
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
        self.mention(segments, line);
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.call(&call.method);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        visit::visit_macro(self, mac);
        self.tokens(mac.tokens.clone());
    }
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident("cfg") && list.tokens.to_string().split_whitespace().next() == Some("test")
}
