//! Licence expressions (SPDX): whether a licence can be chosen that we accept.
//!
//! Reads `OR`, `AND`, `WITH`, brackets, and the old `/` for `OR`. What cannot be read is not accepted.

/// Whether `accepted` licences satisfy `expression`.
pub(crate) fn satisfies(expression: &str, accepted: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, accepted };
    let answer = reader.either();
    answer == Some(true) && reader.words.is_empty()
}

struct Reader<'a> {
    words: &'a [&'a str],
    accepted: &'a [&'a str],
}

impl Reader<'_> {
    fn either(&mut self) -> Option<bool> {
        let mut answer = self.both()?;
        while self.take("OR") {
            answer |= self.both()?;
        }
        Some(answer)
    }

    fn both(&mut self) -> Option<bool> {
        let mut answer = self.one()?;
        while self.take("AND") {
            answer &= self.one()?;
        }
        Some(answer)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let answer = self.either()?;
            return self.take(")").then_some(answer);
        }
        let mut name = self.next().filter(|name| !matches!(*name, "OR" | "AND" | "WITH" | ")"))?.to_owned();
        // An exception is part of the licence's name: it may add as well as take away.
        if self.take("WITH") {
            name = format!("{name} WITH {}", self.next()?);
        }
        Some(self.accepted.contains(&name.as_str()))
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn next(&mut self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: bool) {
        assert_eq!(
            satisfies(expression, &["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]),
            expected,
            "{expression}"
        );
    }

    #[test]
    fn one_accepted_choice_is_enough_and_every_part_is_needed() {
        check("MIT", true);
        check("GPL-3.0-only", false);
        check("MIT OR GPL-3.0-only", true);
        check("MIT/GPL-3.0-only", true);
        check("MIT AND GPL-3.0-only", false);
        check("MIT AND ISC", true);
        check("GPL-3.0-only OR MIT AND ISC", true);
        check("(GPL-3.0-only OR MIT) AND ISC", true);
        check("(GPL-3.0-only OR MIT) AND GPL-3.0-only", false);
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        check("Apache-2.0 WITH LLVM-exception", true);
        check("Apache-2.0", false);
        check("ISC WITH LLVM-exception", false);
    }

    #[test]
    fn what_cannot_be_read_is_not_accepted() {
        for expression in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT ISC", "MIT WITH", "AND", "()"] {
            check(expression, false);
        }
    }
}
