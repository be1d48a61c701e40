//! The help centre of the demo's shop (`datasets/knowledge`), built into the program.

use crate::{article::Article, import};

macro_rules! files {
    ($($slug:literal)*) => {
        &[$(
            (concat!("en/", $slug, ".md"), include_str!(concat!("../../../datasets/knowledge/articles/en/", $slug, ".md"))),
            (concat!("zh/", $slug, ".md"), include_str!(concat!("../../../datasets/knowledge/articles/zh/", $slug, ".md"))),
        )*]
    };
}

/// Names and texts of the files, which is what an import of them is tried with.
pub const FILES: &[(&str, &str)] = files! {
    "bulk-orders"
    "cancel-order"
    "change-address"
    "change-order"
    "choosing-a-teapot"
    "cleaning"
    "contact"
    "coupons"
    "create-account"
    "damaged-in-transit"
    "delete-account"
    "delivery-time"
    "descaling-kettle"
    "dishwasher-microwave"
    "electric-kettle"
    "exchange"
    "food-safety"
    "gaiwan-or-teapot"
    "gift-cards"
    "gift-wrapping"
    "glass-heat"
    "how-to-return"
    "instalments"
    "international"
    "invoice"
    "jobs"
    "missing-parcel"
    "opening-hours"
    "order-status"
    "password"
    "payment-failed"
    "payment-methods"
    "pickup"
    "points"
    "preorder"
    "price-match"
    "privacy"
    "refund-time"
    "repair-kintsugi"
    "return-policy"
    "seasoning-zisha"
    "sets-and-single-pieces"
    "shipping-cost"
    "studio-visit"
    "sustainability"
    "tea-storage"
    "tracking"
    "warranty"
    "wholesale"
    "zisha-authenticity"
};

/// The articles, published, with their slugs as ids.
pub fn articles() -> Vec<Article> {
    let drafts = FILES
        .iter()
        .map(|(name, text)| import::markdown(name, text).expect("the demo's articles are tested"))
        .collect();
    let mut articles = import::merged(drafts, true);
    for article in &mut articles {
        article.id.clone_from(&article.slug);
    }
    articles
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn every_file_of_the_data_set_is_in_the_program() {
        let mut there = BTreeSet::new();
        for lang in ["en", "zh"] {
            let directory =
                format!("{}/../../datasets/knowledge/articles/{lang}", env!("CARGO_MANIFEST_DIR"));
            for file in fs::read_dir(directory).unwrap() {
                there.insert(format!("{lang}/{}", file.unwrap().file_name().to_str().unwrap()));
            }
        }
        let built_in: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(built_in, there);
    }

    #[test]
    fn the_articles_are_in_both_languages_and_within_the_limits() {
        let articles = articles();
        assert_eq!(articles.len(), FILES.len() / 2);
        for article in articles {
            article.check().unwrap();
            let langs: Vec<&str> = article.texts.keys().map(String::as_str).collect();
            assert_eq!(langs, ["en", "zh-CN"], "{}", article.slug);
            assert!(!article.category.is_empty() && article.published);
            // Of an English text it is the category itself.
            assert!(article.texts["en"].category.is_empty());
            assert!(!article.texts["zh-CN"].category.is_empty(), "{}", article.slug);
        }
    }
}
