//! A long list of a plan.

use minijinja::value::{Enumerator, Object, ObjectRepr, Serde, Value};
use serde::{Serialize, Serializer};
use std::fmt::Debug;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A list whose elements templates see one at a time: each is converted when a template comes to it.
/// All servers of a thousand racks, converted at once, need more memory than everything that is
/// written.
///
/// A clone shares the elements until one of the two is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(Arc<Vec<T>>);

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(Arc::new(elements.into_iter().collect()))
    }
}

impl<T> Deref for List<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Clone> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        Arc::make_mut(&mut self.0)
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Serialize + Debug + Send + Sync + 'static> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // To another value of minijinja this goes as it is.
        Value::from_object(Self(Arc::clone(&self.0))).serialize(serializer)
    }
}

impl<T: Serialize + Debug + Send + Sync + 'static> Object for List<T> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(Value::from(Serde(self.0.get(key.as_usize()?)?)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// One that counts how often it is converted.
    #[derive(Debug)]
    struct Counted(u32, &'static AtomicUsize);

    impl Serialize for Counted {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.serialize(serializer)
        }
    }

    fn render(template: &str, list: &impl Serialize) -> String {
        minijinja::render!(template, list => Value::from(Serde(list)))
    }

    /// To a template it is a list like any other.
    #[test]
    fn a_template_can_do_all_that_it_can_do_with_a_list() {
        let numbers = vec![5, 3, 8, 3];
        let list: List<u32> = numbers.iter().copied().collect();
        for template in [
            "{{ list }}",
            "{{ list | length }} {{ list[0] }} {{ list[-1] }} {{ list | last }}",
            "{{ list[1:3] }} {{ list | sort }} {{ list + [1] }} {{ 8 in list }}",
            "{% for it in list if it != 3 %}{{ loop.index }}/{{ loop.length }}: {{ it }} {% endfor %}",
            "{{ list is sequence }} {{ list | join }} {{ list == [5, 3, 8, 3] }}",
        ] {
            assert_eq!(render(template, &list), render(template, &numbers));
        }
        assert_eq!(serde_json::to_string(&list).unwrap(), "[5,3,8,3]");
    }

    #[test]
    fn an_element_is_converted_when_a_template_comes_to_it() {
        static CONVERTED: AtomicUsize = AtomicUsize::new(0);
        let list: List<Counted> = (0..1000)
            .map(|number| Counted(number, &CONVERTED))
            .collect();
        assert_eq!(render("{{ list | length }} {{ list[7] }}", &list), "1000 7");
        assert_eq!(CONVERTED.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_clone_is_changed_by_itself() {
        let one: List<u32> = [1, 2].into_iter().collect();
        let mut other = one.clone();
        other.push(3);
        assert_eq!((one.len(), other.len()), (2, 3));
    }
}
