#include "data_folder.hpp"
#include "sites.hpp"

namespace flashsale::app {

std::string embedded_site::in_words() const {
    return "the embedded configuration, with its data in " +
           std::filesystem::absolute(settings.sqlite.folder).string();
}

void embedded_site::migrate(bool, const report_name& applied) const {
    const data_folder folder(settings.sqlite.folder);
    const sqlite::folder_lock lock(folder.path);
    for (const std::string& name : migrate_files(settings, folder))
        applied(name);
}

std::unique_ptr<rebuilding> embedded_site::rebuild(std::int64_t) const {
    throw config_error(
        "rebuild: the embedded gate is made from the record by each start of `flashsale serve`");
}

postgres::session embedded_site::deployment() const {
    throw config_error(
        "deployment: the embedded configuration has one process, and nothing to agree on");
}

}  // namespace flashsale::app
