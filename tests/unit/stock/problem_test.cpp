#include <flashsale/stock/problem.hpp>
#include <flashsale/stock/reservation.hpp>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace flashsale;
using namespace flashsale::stock;

namespace {

boost::json::object document(const http::response& answer) {
    CHECK(answer.is_problem);
    CHECK(answer.body.empty() != answer.literal_body.empty());
    return boost::json::parse(std::string(answer.literal_body) + answer.body + "}").as_object();
}

boost::json::value json_text(std::string_view text) {
    return boost::json::string(text.data(), text.size());
}

}  // namespace

TEST_CASE("stock problem: a refusal says what the client can do") {
    for (const auto& [code, name] :
         {std::pair{errc::out_of_stock, "available"}, std::pair{errc::purchase_limit, "allowed"}}) {
        for (const std::int64_t left : {std::int64_t{0}, std::int64_t{7}, units_max}) {
            const auto answer = problem_of(refusal(code, left));
            CHECK(answer.status == problem_of(code).status());
            CHECK(answer.retry_after_s == 0);
            const auto said = document(answer);
            CHECK(said.at("code") == json_text(problem_of(code).code()));
            CHECK(said.at(name) == left);
            // Nothing is copied for the answer that nearly every client gets.
            CHECK(answer.body.empty() == (left == 0));
        }
    }
    const auto over = document(problem_of(refusal(errc::sale_over)));
    CHECK(over.at("code") == "sale_not_open");
    CHECK(over.at("sale") == "over");
    CHECK_FALSE(over.contains("sale_starts_at"));

    refusal early(errc::sale_not_open);
    early.opens_at = timestamp{std::chrono::seconds{1'800'000'000}};
    for (const auto& [opens, retry] :
         {std::pair{1u, 1u}, std::pair{90u, 90u}, std::pair{~0u, opens_in_s_max}}) {
        early.opens_in_s = opens;
        const auto answer = problem_of(early);
        CHECK(answer.status == 409);
        CHECK(answer.retry_after_s == retry);
        const auto said = document(answer);
        CHECK(said.at("sale") == "not_yet");
        CHECK(said.at("sale_starts_at") == "2027-01-15T08:00:00Z");
    }
    CHECK(problem_of(refusal(errc::rebuilding)).retry_after_s == 2);
}
