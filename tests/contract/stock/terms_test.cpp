// What every record of products does with changes of what they are sold by.

#include <catch2/catch.hpp>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

product_terms terms(std::int64_t price, std::optional<std::int64_t> limit = {}) {
    product_terms out;
    out.name = "Lamp";
    out.price = price;
    out.per_user_limit = limit;
    return out;
}

std::string word(const std::expected<changed_product, errc>& made) {
    return made ? "revision " + std::to_string(made->what.revision)
                : std::string(name_of(made.error()));
}

}  // namespace

TEST_CASE("product terms: a change is of the revision that is there, and makes the next") {
    stock_record record(each_database());
    const auto product = record.make_product(10, 2);
    const auto change = [&](std::int64_t revision, product_terms to) {
        return record.database.wait(record.terms->change(product, revision, std::move(to)));
    };
    auto to = terms(2'500, 5);
    to.sale_ends_at = wall_clock_now() + std::chrono::hours{1};
    const auto changed = change(1, to);
    REQUIRE(word(changed) == "revision 2");
    CHECK(changed->what.price == 2'500);
    CHECK(changed->what.per_user_limit == 5);
    CHECK(changed->what.sale_ends_at == to.sale_ends_at);
    CHECK(changed->what.stock == 10);
    CHECK(word(change(1, terms(1, 1))) == "revision_changed");
    CHECK(word(change(2, terms(3'000, 1))) == "revision 3");
    const auto found = record.database.wait(record.store->find(product));
    CHECK(found->price == 3'000);
    CHECK(found->revision == 3);
    CHECK_FALSE(found->sale_ends_at.has_value());
    CHECK(word(record.database.wait(record.terms->change(product + 1, 1, terms(1)))) ==
          "product_not_found");
    // The audit goes by the highest limit that was ever in force.
    REQUIRE(
        record.reader
            ->for_each_product([](const recorded_product& one) { CHECK(one.per_user_limit == 5); })
            .has_value());
    const auto page = record.reader->products(0, 1, 0, 10);
    REQUIRE(page->rows.size() == 1);
    CHECK(page->rows.front().units.revision == 3);
    CHECK(page->rows.front().units.per_user_limit == 1);
}

TEST_CASE("product terms: a limit comes or goes only as long as nothing is recorded as taken") {
    stock_record record(each_database());
    const bool was_limited = GENERATE(false, true);
    const std::optional<std::int64_t> before =
        was_limited ? std::optional<std::int64_t>(2) : std::nullopt;
    const std::optional<std::int64_t> after =
        was_limited ? std::nullopt : std::optional<std::int64_t>(2);
    const auto product = record.make_product(10, before);
    CHECK(word(record.database.wait(record.terms->change(product, 1, terms(5, after)))) ==
          "revision 2");
    // A gate has refused it: it is as it was.
    const auto undone = record.database.wait(record.terms->undo(product, 2));
    REQUIRE(word(undone) == "revision 3");
    CHECK(undone->what.per_user_limit == before);
    CHECK(undone->what.price == 5);
    CHECK(word(record.database.wait(record.terms->undo(product, 3))) == "revision_changed");

    const auto sold = record.sold(product, 1);
    REQUIRE(record.ledger->record(std::span(&sold, 1)).has_value());
    CHECK(word(record.database.wait(record.terms->change(product, 3, terms(5, after)))) ==
          "already_granted");
    CHECK(word(record.database.wait(record.terms->change(product, 3, terms(6, before)))) ==
          "revision 4");
}

TEST_CASE("product terms: what nothing was taken of is deleted, and all else is archived") {
    stock_record record(each_database());
    const auto unsold = record.make_product(10), sold = record.make_product(10);
    const auto taken = record.sold(sold, 1);
    REQUIRE(record.ledger->record(std::span(&taken, 1)).has_value());

    const auto deleted = record.database.wait(record.terms->withdraw(unsold));
    REQUIRE(word(deleted) == "revision 2");
    CHECK(deleted->what.halted == halt::deleted);
    CHECK(record.database.wait(record.store->find(unsold)).error() == errc::product_not_found);
    CHECK(word(record.database.wait(record.terms->withdraw(unsold))) == "product_not_found");
    CHECK(record.database.wait(record.store->restock(unsold, 1, "key", uuid_generator().make()))
              .error() == errc::product_not_found);

    const auto archived = record.database.wait(record.terms->withdraw(sold));
    REQUIRE(word(archived) == "revision 2");
    CHECK(archived->what.halted == halt::archived);
    CHECK(word(record.database.wait(record.terms->withdraw(sold))) == "revision 2");
    CHECK(record.database.wait(record.store->find(sold))->halted == halt::archived);
    CHECK(word(record.database.wait(record.terms->change(sold, 2, terms(1)))) ==
          "product_archived");
    CHECK(record.database.wait(record.store->list(0, 10))->empty());

    // A gate had granted of it.
    const auto undone = record.database.wait(record.terms->undo(unsold, 2));
    REQUIRE(word(undone) == "revision 3");
    CHECK(undone->what.halted == halt::archived);
}
