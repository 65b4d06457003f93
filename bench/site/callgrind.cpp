#include "site/callgrind.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "site/child.hpp"

namespace flashsale::bench {

namespace {

std::string text_of(const std::filesystem::path& file) {
    std::stringstream all;
    all << std::ifstream{file}.rdbuf();
    return all.str();
}

std::vector<std::string> files_in(const std::filesystem::path& folder) {
    std::vector<std::string> all;
    for (const auto& each : std::filesystem::directory_iterator{folder})
        all.push_back(each.path().filename().string());
    return all;
}

/// The number that stands behind `words`, from `at` on.
std::optional<std::int64_t> number_behind(std::string_view text, std::string_view words,
                                          std::size_t at = 0) {
    at = text.find(words, at);
    if (at == text.npos) return std::nullopt;
    std::int64_t value = 0;
    const auto* const begin = text.data() + at + words.size();
    if (std::from_chars(begin, text.data() + text.size(), value).ec != std::errc{}) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

double sum_of(const instructions& of) {
    return std::accumulate(of.begin(), of.end(), 0.0,
                           [](double sum, const auto& each) { return sum + each.second; });
}

std::optional<double> callgrind_summary(std::string_view text) {
    const auto found = number_behind(text, "\nsummary: ");
    return found ? std::optional(static_cast<double>(*found)) : std::nullopt;
}

// `fn=(7) name` and `cfn=(7) name` name a function where it comes first in a file; later it is
// `(7)`. Behind a cfn, which is called, `calls=` says how often.
timer_calls callgrind_timers(std::string_view text) {
    constexpr std::string_view timer = "boost::asio::detail::wait_handler<";
    std::map<std::string_view, std::string_view> names;
    timer_calls all;
    std::string_view called;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const bool callee = line.starts_with("cfn=(");
        if (callee || line.starts_with("fn=(")) {
            const auto begin = line.find('(');
            const auto end = line.find(')', begin);
            if (end == line.npos) continue;
            const auto id = line.substr(begin, end - begin);
            const auto name = line.substr(std::min(line.size(), end + 2));
            if (name.starts_with(timer)) names[id] = name;
            if (callee) called = id;
        } else if (line.starts_with("calls=")) {
            const auto known = names.find(called);
            const auto times = number_behind(line, "calls=");
            if (known != names.end() && times)
                all[std::string{known->second}] += static_cast<double>(*times);
        }
    }
    return all;
}

std::map<int, pid_t> valgrind_threads(std::string_view text) {
    constexpr std::string_view head = "\nThread ";
    std::map<int, pid_t> all;
    for (auto at = text.find(head); at != text.npos; at = text.find(head, at + 1)) {
        const auto line = text.substr(at, text.find('\n', at + 1) - at);
        const auto number = number_behind(line, head);
        const auto process = number_behind(line, "(lwpid ");
        if (number && process) all[static_cast<int>(*number)] = static_cast<pid_t>(*process);
    }
    return all;
}

callgrind::callgrind(const std::filesystem::path& program) {
    auto name = (std::filesystem::temp_directory_path() / "flashsale-callgrind-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
    folder_ = name;
    copy_ = (folder_ / program.filename()).string();
    try {
        run_command({"objcopy", "--strip-debug", program.string(), copy_});
    } catch (...) {
        remove();
        throw;
    }
}

callgrind::~callgrind() {
    remove();
}

void callgrind::remove() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> callgrind::command() const {
    return {"valgrind",
            "--quiet",
            "--tool=callgrind",
            "--instr-atstart=no",
            "--separate-threads=yes",
            "--callgrind-out-file=" + (folder_ / "part").string(),
            "--vgdb-prefix=" + (folder_ / "vgdb").string()};
}

std::string callgrind::tell(const std::vector<std::string>& words) const {
    std::vector<std::string> all{"vgdb", "--vgdb-prefix=" + (folder_ / "vgdb").string(),
                                 "--pid=" + std::to_string(process_)};
    all.insert(all.end(), words.begin(), words.end());
    return run_command(all);
}

void callgrind::start(pid_t process) {
    process_ = process;
    tell({"instrumentation", "on"});
}

thread_counts callgrind::take(const std::string& kept) {
    const auto threads = valgrind_threads(tell({"v.info", "scheduler"}));
    tell({"dump"});
    ++part_;
    thread_counts all;
    const std::string prefix = fmt::format("part.{}-", part_);
    for (const auto& file : files_in(folder_)) {
        if (!file.starts_with(prefix)) continue;
        const auto text = text_of(folder_ / file);
        const auto counted = callgrind_summary(text);
        const auto number = number_behind(file, prefix);
        if (!counted || !number) throw std::runtime_error("callgrind wrote " + file + " otherwise");
        const auto thread = threads.find(static_cast<int>(*number));
        std::string who = "ended";
        if (thread != threads.end()) {
            who = thread->second == process_
                      ? "main"  // valgrind gives this one a name of its own
                      : text_of(fmt::format("/proc/{}/task/{}/comm", process_, thread->second));
            std::erase(who, '\n');
        }
        all.executed[who] += *counted;
        for (const auto& [name, calls] : callgrind_timers(text))
            all.timers[who][name] += calls;
        if (!kept.empty()) {
            std::ranges::replace(who, ' ', '-');
            std::filesystem::copy_file(folder_ / file, fmt::format("{}.{}-{}", kept, who, *number),
                                       std::filesystem::copy_options::overwrite_existing);
        }
        std::filesystem::remove(folder_ / file);
    }
    if (all.executed.empty()) throw std::runtime_error("callgrind counted nothing");
    return all;
}

}  // namespace flashsale::bench
