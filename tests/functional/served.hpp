#pragma once

// `flashsale serve` as an operator starts it: with a file of one's own, by a shell, in a folder of
// one's own. Embedded; needs no server.

#include <filesystem>
#include <fstream>
#include <string>

#include "flashsale_process.hpp"
#include "scratch_folder.hpp"
#include "shop.hpp"

namespace flashsale::test {

class served {
public:
    /// `shell` is what surrounds the command: "umask 0; exec $SERVE 2>&-".
    explicit served(std::string shell = "exec $SERVE", const std::string& config = "{}") {
        write_config(config);
        const std::string command =
            "'" + flashsale_binary() + "' serve --config '" + config_file().string() + "'";
        if (const auto at = shell.find("$SERVE"); at != std::string::npos)
            shell.replace(at, 6, command);
        shop_.emplace(std::vector<std::string>{"bash", "-c", shell},
                      environment{{"FLASHSALE_HTTP__PORT", "0"},
                                  {"FLASHSALE_STOCK__GATE", "memory"},
                                  {"FLASHSALE_REDIS__URL", ""},  // of the servers of other tests
                                  {"FLASHSALE_SQLITE__FOLDER", data().string()}});
        constexpr std::string_view announcement = "listening on http://127.0.0.1:";
        const bool listens = eventually(std::chrono::seconds{20}, [&] {
            const std::string log = output();
            const auto at = log.find(announcement);
            if (at == std::string::npos || log.find('\n', at) == std::string::npos) return false;
            port_ = static_cast<std::uint16_t>(std::stoi(log.substr(at + announcement.size())));
            return true;
        });
        if (!listens) throw std::runtime_error("it does not listen; its log:\n" + output());
    }

    void write_config(const std::string& text) const { std::ofstream(config_file()) << text; }
    std::filesystem::path config_file() const { return here_ / "flashsale.json"; }
    std::filesystem::path data() const { return here_ / "data"; }
    std::filesystem::path here() const { return here_.path(); }

    process& shop() { return *shop_; }
    http_client client() const { return http_client{port_}; }
    std::string output() const { return shop_->output(); }
    bool says(std::string_view part) const {
        return eventually(std::chrono::seconds{20},
                          [&] { return output().find(part) != std::string::npos; });
    }
    std::optional<int> terminate() {
        shop_->kill(SIGTERM);
        return shop_->wait(std::chrono::seconds{30});
    }
    std::int64_t metric(const std::string& name) const {
        const std::string all = "\n" + client().get("/metrics").body;
        const auto at = all.find("\n" + name + " ");
        if (at == std::string::npos) throw std::runtime_error("no metric " + name);
        return std::stoll(all.substr(at + name.size() + 2));
    }

private:
    scratch_folder here_;
    std::optional<process> shop_;
    std::uint16_t port_ = 0;
};

}  // namespace flashsale::test
