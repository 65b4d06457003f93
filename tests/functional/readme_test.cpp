#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "flashsale_process.hpp"
#include "sandbox.hpp"

using namespace flashsale::test;

namespace {

std::filesystem::path project_root() {
    return std::filesystem::path(stack_config()).parent_path().parent_path();
}

/// The block that follows the README's mark.
std::string read_tour() {
    std::ifstream file(project_root() / "README.md");
    std::ostringstream all;
    all << file.rdbuf();
    const std::string text = all.str();
    const std::string opening = "pastes it -->\n```sh\n";
    const auto mark = text.find(opening);
    REQUIRE(mark != std::string::npos);
    const auto begin = mark + opening.size();
    return text.substr(begin, text.find("```", begin) - begin);
}

void replace_once(std::string& text, const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    INFO(what);
    REQUIRE(at != std::string::npos);
    text.replace(at, what.size(), with);
    REQUIRE(text.find(what, at + with.size()) == std::string::npos);
}

/// What the tour says that comes back: the pieces between the `…` of its `#=>` lines.
std::vector<std::string> promised_by(const std::string& tour) {
    constexpr std::string_view mark = "#=> ", gap = "…";
    std::vector<std::string> pieces;
    std::istringstream lines(tour);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(mark)) continue;
        std::string_view rest = std::string_view(line).substr(mark.size());
        while (!rest.empty()) {
            const auto end = std::min(rest.find(gap), rest.size());
            if (end != 0) pieces.emplace_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + gap.size(), rest.size()));
        }
    }
    return pieces;
}

/// The first piece that does not come in the output after the one before it; "" if all do.
std::string missing_in(std::string_view output, const std::vector<std::string>& pieces) {
    for (const std::string& piece : pieces) {
        const auto at = output.find(piece);
        if (at == std::string_view::npos) return piece;
        output.remove_prefix(at + piece.size());
    }
    return {};
}

}  // namespace

TEST_CASE("README: the tour answers what it says") {
    const std::string tour = read_tour();
    const auto promised = promised_by(tour);
    REQUIRE(promised.size() > 40);
    REQUIRE(run({"bash", "-c", "command -v curl"}).exit_code == 0);

    const sandbox world(composition::embedded);
    const flashsale_process shop(world);
    std::string commands = tour;
    REQUIRE(commands.starts_with("URL="));
    replace_once(commands, "URL=http://127.0.0.1:8080", "URL=" + shop.url());
    // The executable may be another preset's.
    replace_once(commands, "build/release/flashsale", flashsale_binary());
    commands = "cd '" + project_root().string() + "'\n" + commands;

    // Twice: it works on a database that has data, too.
    for (int i = 0; i < 2; ++i) {
        const auto pasted = run({"bash", "-c", commands}, world.variables());
        INFO(pasted.output);
        CHECK(missing_in(pasted.output, promised) == "");
        CHECK(pasted.exit_code == 0);
        CHECK(pasted.output.find("FAULT") == std::string::npos);
    }
    using database = sandbox::database;
    CHECK(world.number(database::order, "SELECT count(*) FROM orders") == 8);
    CHECK(world.number(database::order,
                       "SELECT count(*) FROM orders WHERE order_status = 'PAID'") == 2);
    CHECK(world.number(database::order,
                       "SELECT count(*) FROM orders WHERE order_status = 'CANCELLED'") == 2);
    CHECK(world.number(database::user, "SELECT sum(balance) FROM users") == 2 * 1'000);
}

TEST_CASE("README: an answer that is missing, or comes too early, is noticed") {
    const auto promised = promised_by("curl x\n#=> {\"id\":…,\"stock\":3,…}\n#=> HTTP/1.1 201\n");
    CHECK(promised == std::vector<std::string>{"{\"id\":", ",\"stock\":3,", "}", "HTTP/1.1 201"});
    CHECK(missing_in("{\"id\":7,\"stock\":3,\"a\":1}\nHTTP/1.1 201 Created", promised) == "");
    CHECK(missing_in("{\"id\":7,\"stock\":4,\"a\":1}\nHTTP/1.1 201 Created", promised) ==
          ",\"stock\":3,");
    CHECK(missing_in("HTTP/1.1 201\n{\"id\":7,\"stock\":3,\"a\":1}", promised) == "HTTP/1.1 201");
}
