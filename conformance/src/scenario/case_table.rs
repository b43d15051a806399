//! The table of cases in the front matter: rows that differ in their values alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{
    ast::Case,
    captures::ALWAYS_THERE,
    front_matter::{Entry, Reader, Values},
    insertion::{Name, is_name},
    matcher::RESERVED,
};

/// Reads the rows and the names of their values.
pub(crate) fn read(reader: &mut Reader<'_>, entry: Option<&Entry<'_>>) -> (Vec<Case>, Vec<Name>) {
    let Some(entry) = entry else {
        return (Vec::new(), Vec::new());
    };
    let rows = match entry.get_ref() {
        DeValue::Array(rows) if !rows.is_empty() => rows,
        _ => {
            reader.mistake(
                entry.span(),
                "cases is not a table of rows",
                "expected [[cases]]",
            );
            return (Vec::new(), Vec::new());
        }
    };
    let mut table = Table::default();
    let cases = rows
        .iter()
        .filter_map(|row| table.row(reader, row))
        .collect();
    (cases, table.columns.unwrap_or_default())
}

#[derive(Default)]
struct Table {
    names: BTreeSet<String>,
    columns: Option<Vec<Name>>,
}

impl Table {
    fn row(&mut self, reader: &mut Reader<'_>, row: &Entry<'_>) -> Option<Case> {
        let DeValue::Table(members) = row.get_ref() else {
            reader.mistake(row.span(), "a case is not a table", "expected [[cases]]");
            return None;
        };
        let name = self.name(reader, row, members);
        let (values, columns) = values(reader, members);
        self.check_columns(reader, row, &columns);
        self.columns.get_or_insert(columns);
        let name = name?;
        Some(Case { name, values })
    }

    fn name(
        &mut self,
        reader: &mut Reader<'_>,
        row: &Entry<'_>,
        members: &DeTable<'_>,
    ) -> Option<String> {
        let Some(entry) = members.get("name") else {
            reader.mistake(row.span(), "a case without a name", "expected name = \"…\"");
            return None;
        };
        let name = reader.text(entry)?.node;
        if name.is_empty() || name.contains(|c: char| c.is_control() || "[]".contains(c)) {
            let message = format!("{name:?} cannot name a case");
            reader.mistake(entry.span(), message, "expected a text without brackets");
        } else if !self.names.insert(name.clone()) {
            let message = format!("a second case named {name:?}");
            reader.mistake(entry.span(), message, "expected a name of its own");
        }
        Some(name)
    }

    /// Every row has the values that the first has.
    fn check_columns(&self, reader: &mut Reader<'_>, row: &Entry<'_>, columns: &[Name]) {
        let Some(first) = &self.columns else {
            return;
        };
        for missing in first.iter().filter(|one| !has(columns, one)) {
            let message = format!("this case has no value {:?}", missing.text);
            reader.mistake(
                row.span(),
                message,
                "expected the values that the first case has",
            );
        }
        for further in columns.iter().filter(|one| !has(first, one)) {
            let message = format!("the first case has no value {:?}", further.text);
            reader.mistake(
                row.span(),
                message,
                "expected the values that the first case has",
            );
        }
    }
}

fn has(columns: &[Name], name: &Name) -> bool {
    columns.iter().any(|column| column.text == name.text)
}

fn values(reader: &mut Reader<'_>, members: &DeTable<'_>) -> (Values, Vec<Name>) {
    let mut values = BTreeMap::new();
    let mut columns = Vec::new();
    for (key, entry) in members.iter().filter(|(key, _)| key.get_ref() != "name") {
        let text = key.get_ref().to_string();
        let known = [&RESERVED[..], &ALWAYS_THERE[..]].concat();
        if !is_name(&text) || known.contains(&text.as_str()) {
            let message = format!("{text:?} cannot name a value of a case");
            reader.mistake(
                key.span(),
                message,
                "expected letters, digits, _ and -, and not the name of a matcher",
            );
        }
        columns.push(Name {
            text: text.clone(),
            span: reader.span(key.span()),
        });
        values.insert(text, json(reader, entry));
    }
    (values, columns)
}

/// A TOML value as JSON.
fn json(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Value {
    let number = |text: &str| text.parse::<serde_json::Number>().ok().map(Value::Number);
    let value = match entry.get_ref() {
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Boolean(value) => Some((*value).into()),
        DeValue::Integer(integer) => {
            let value = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
            value.and_then(|value| number(&value.to_string()))
        }
        DeValue::Float(float) => float
            .as_str()
            .parse::<f64>()
            .ok()
            .and_then(|value| serde_json::Number::from_f64(value).map(Value::Number)),
        DeValue::Datetime(_) => None,
        DeValue::Array(elements) => Some(elements.iter().map(|one| json(reader, one)).collect()),
        DeValue::Table(members) => {
            let members = members
                .iter()
                .map(|(key, one)| (key.get_ref().to_string(), json(reader, one)));
            Some(Value::Object(members.collect::<Map<_, _>>()))
        }
    };
    value.unwrap_or_else(|| {
        reader.mistake(
            entry.span(),
            "a value that JSON does not have",
            "expected a string, number, boolean, array or table",
        );
        Value::Null
    })
}
