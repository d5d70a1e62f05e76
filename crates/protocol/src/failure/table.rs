//! The table of codes: wire name, who must act, the facts that may be named, and four sentences each.
//!
//! It is one long file because it is one list, read from top to bottom by whoever looks after the words.
//! The sentences are for suppliers' staff (经办人) where they meet them and for portal developers where only
//! those can act. Order of the four: what happened, what to do, in Chinese; the same in English.
//! A part in square brackets is left out when the fact it names is not known; a fact is never named
//! outside of brackets, so a sentence is whole without any.

use super::Party;

/// The four sentences of a code, as templates; see [`crate::words`] for how they are filled.
pub(crate) struct Sentences {
    pub(crate) what_zh: &'static str,
    pub(crate) remedy_zh: &'static str,
    pub(crate) what_en: &'static str,
    pub(crate) remedy_en: &'static str,
}

macro_rules! codes {
    ($($variant:ident $wire:literal $party:ident [$($fact:literal),*]
        $what_zh:literal $remedy_zh:literal $what_en:literal $remedy_en:literal)*) => {
        /// Every way in which a request to Sealbridge can fail. The wire names are stable: a name is never
        /// used again with another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $wire, "`: `", $what_en, "`")] $variant,)*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $wire),* }
            }

            /// Who can do something about it.
            #[must_use]
            pub const fn party(self) -> Party {
                match self { $(Code::$variant => Party::$party),* }
            }

            /// The names of the facts that a failure with this code may carry.
            #[must_use]
            pub const fn facts(self) -> &'static [&'static str] {
                match self { $(Code::$variant => &[$($fact),*]),* }
            }

            pub(crate) const fn sentences(self) -> Sentences {
                match self {
                    $(Code::$variant => Sentences {
                        what_zh: $what_zh, remedy_zh: $remedy_zh, what_en: $what_en, remedy_en: $remedy_en,
                    }),*
                }
            }
        }
    };
}

codes! {
    // ---- Caller: the page, the portal or the program that asked ------------------------------------------------

    RequestMalformed "request-malformed" Caller ["detail"]
    "网页发出的请求格式不正确[：{detail}]。"
    "请刷新网页后重试；如果仍然出现，请把本提示告诉网站的技术人员。"
    "The page sent a request that is not well formed[: {detail}]."
    "Reload the page and try again; if it happens again, show this message to the site's support."

    RequestUnknownField "request-unknown-field" Caller ["field"]
    "网页发出的请求含有未知的内容[“{field}”]，已拒绝。"
    "请刷新网页后重试；如果仍然出现，请把本提示告诉网站的技术人员。"
    "The page's request holds an unknown field[ “{field}”] and was refused."
    "Reload the page and try again; if it happens again, show this message to the site's support."

    RequestTooLarge "request-too-large" Caller ["limit"]
    "请求太大，已拒绝[（上限 {limit} 字节）]。"
    "请减少一次处理的文件数量后重试；如果仍然出现，请告诉网站的技术人员。"
    "The request is too large and was refused[ (limit {limit} bytes)]."
    "Try again with fewer documents at a time; if it happens again, tell the site's support."

    VerbUnknown "verb-unknown" Caller ["verb"]
    "不支持网页要求的操作[“{verb}”]。"
    "请把印桥更新到最新版本后重试；如果仍然出现，请告诉网站的技术人员。"
    "The page asked for an operation that does not exist here[: “{verb}”]."
    "Update Sealbridge and try again; if it happens again, tell the site's support."

    VersionTooOld "version-too-old" Caller ["part", "version", "needed"]
    "[{part}]版本太旧[（当前 {version}）]，无法与其他部分配合工作。"
    "请更新[{part}][到 {needed} 或更高版本]，然后重新打开浏览器。"
    "[{part}: ]the version is too old[ ({version})] to work with the other parts."
    "Please update[ {part}][ to {needed} or later], then restart the browser."

    CommandMalformed "command-malformed" Caller ["detail"]
    "命令行的写法不正确[：{detail}]。"
    "请运行 sealbridge --help 或 sealbridge <命令> --help 查看用法，改正后重试。"
    "The command line is not usable[: {detail}]."
    "See sealbridge --help or sealbridge <verb> --help, correct it and try again."

    OriginRefused "origin-refused" Caller ["origin"]
    "这个网址不能使用印桥[：{origin}]。只有以 https:// 开头的正规网址才可以。"
    "请通过网站的正式网址（https://）重新打开本页面；如果网址本来就是这样，请告诉网站的技术人员。"
    "Sealbridge cannot be used from this address[: {origin}]. Only regular https:// sites can use it."
    "Open the page again through the site's official https:// address, or tell the site's support."

    OriginNotEnabled "origin-not-enabled" Caller ["origin"]
    "您还没有允许这个网站[（{origin}）]使用印桥。"
    "如果您信任这个网站，请点击浏览器工具栏上的印桥图标，选择【在此网站启用】，然后刷新网页。"
    "You have not allowed this site[ ({origin})] to use Sealbridge yet."
    "If you trust the site, click the Sealbridge icon in the browser's toolbar, choose “Enable on this site”, then reload the page."

    FrameRefused "frame-refused" Caller []
    "请求来自网页里嵌入的框架，已拒绝。为了您的安全，只有地址栏所显示的网站可以使用印桥。"
    "请在单独的窗口中打开该网站后重试；网站的技术人员应当在顶层页面中调用印桥。"
    "The request came from a frame inside the page and was refused. For your safety only the site in the address bar can use Sealbridge."
    "Open that site in its own window and try again; its developers must call Sealbridge from the top page."

    CallerRefused "caller-refused" Caller ["caller"]
    "调用本机程序的不是印桥扩展[：{caller}]，已拒绝。"
    "请只使用从正式渠道安装的印桥扩展；如果您没有做过任何改动，请重新安装印桥。"
    "The native program was called by something other than the Sealbridge extension[: {caller}] and refused."
    "Use only the Sealbridge extension from its official source; if you changed nothing, install Sealbridge again."

    Busy "busy" Caller []
    "上一个操作还没有完成。"
    "请先完成或取消正在进行的操作（可能有一个密码窗口被其他窗口挡住了），然后重试。"
    "Another operation is still going on."
    "Finish or cancel it first (a PIN window may be hidden behind other windows), then try again."

    GrantMalformed "grant-malformed" Caller ["detail"]
    "发证机构的许可格式不正确[：{detail}]。"
    "请刷新页面后重试；如果仍然出现，请联系发证机构的客服。"
    "The authority's grant is not well formed[: {detail}]."
    "Reload the page and try again; if it happens again, contact the authority's support."

    GrantUntrusted "grant-untrusted" Caller ["detail"]
    "这个许可不是本机所信任的发证机构签发的[：{detail}]，已拒绝。"
    "请确认您在发证机构的正式网站上办理；仍有疑问请联系管理员。"
    "The grant was not signed by an authority that this computer trusts[: {detail}] and was refused."
    "Make sure that you are on the authority's official site; if in doubt ask the administrator."

    GrantExpired "grant-expired" Caller []
    "发证机构的许可已经过期，或者电脑的时间不对。"
    "请再点一次，会自动取得新的许可；如果仍然出现，请校准电脑的时间。"
    "The authority's grant has expired, or this computer's clock is wrong."
    "Repeat the step, which fetches a new grant; if it happens again, set this computer's clock."

    GrantMismatch "grant-mismatch" Caller ["what"]
    "发证机构的许可与这次操作不符[（{what}）]，已拒绝。"
    "请确认插入的是这次业务的 Key，然后重新开始。"
    "The authority's grant does not fit this operation[ ({what})] and was refused."
    "Make sure that the key of this business is inserted, then start again."

    GrantUsed "grant-used" Caller []
    "这个许可已经使用过，或者本机程序已经重新启动，不能再用。"
    "请再点一次，会自动取得新的许可。"
    "This grant was used before, or the Sealbridge program was restarted since; it is of no use any more."
    "Repeat the step, which fetches a new grant."

    OperationMismatch "operation-mismatch" Caller ["operation"]
    "同一个操作编号被用于不同的内容，已拒绝。"
    "请刷新网页后重新开始；如果仍然出现，请告诉网站的技术人员。"
    "One operation id was used for two different requests; the second was refused."
    "Reload the page and start again; if it happens again, tell the site's support."

    OperationUnknown "operation-unknown" Caller ["operation"]
    "找不到这个操作的记录。"
    "它可能从未开始，或者记录已经过期。请重新操作一次。"
    "There is no record of this operation."
    "It may never have started, or its record has expired. Please do it again."

    NonceMalformed "nonce-malformed" Caller []
    "网站给出的随机数不符合要求（应为 22 到 128 个 base64url 字符）。"
    "请刷新网页后重试；如果仍然出现，请告诉网站的技术人员。"
    "The site's challenge is not acceptable (it must be 22 to 128 base64url characters)."
    "Reload the page and try again; if it happens again, tell the site's support."

    WebEidNonceMalformed "web-eid-nonce-malformed" Caller []
    "网站给出的 Web eID 随机数不符合要求（应为 44 到 128 个 base64 字符）。"
    "请刷新网页后重试；如果仍然出现，请告诉网站的技术人员。"
    "The site's Web eID challenge is not acceptable (it must be 44 to 128 base64 characters)."
    "Reload the page and try again; if it happens again, tell the site's support."

    WebEidSigningRefused "web-eid-signing-refused" Caller []
    "网站用 Web eID 的方式要求签一个摘要值，已拒绝：印桥只签您看得到内容的文件。"
    "登录不受影响；如果要在文件上签名或盖章，请网站的技术人员改用印桥自己的接口（stamp）。"
    "The site asked for Web eID's signature over a hash and was refused: Sealbridge only signs documents that you can see."
    "Logging in is not affected; to sign or stamp documents the site's developers must use Sealbridge's own call (stamp)."

    PageSecretRefused "page-secret-refused" Caller ["field"]
    "网页交来了密码[（{field}）]，已拒绝：密码（PIN）只能在印桥自己的窗口中输入。"
    "请不要在网页中输入 USB Key 的密码；请网站的技术人员去掉这一项。"
    "The page handed over a password[ ({field})] and was refused: the PIN is only ever entered in Sealbridge's own window."
    "Do not enter the key's PIN into a web page; the site's developers must leave this field out."

    PagePathRefused "page-path-refused" Caller ["field"]
    "网页指定了本机的文件路径[（{field}）]，已拒绝：网页不能读写您电脑上的文件。"
    "请网站的技术人员改为交出文件内容本身。"
    "The page named a path on this computer[ ({field})] and was refused: pages do not read or write your files."
    "The site's developers must hand over the document itself."

    PageImageRefused "page-image-refused" Caller ["field"]
    "网页交来了印章图片[（{field}）]，已拒绝：印章只能来自您的 USB Key。"
    "请网站的技术人员去掉这一项。"
    "The page handed over a picture of a seal[ ({field})] and was refused: seals only come from your key."
    "The site's developers must leave this field out."

    CallUnsupported "call-unsupported" Caller ["verb"]
    "网页使用了旧接口的功能[“{verb}”]，印桥没有对应的功能。"
    "请网站的技术人员参照迁移指南修改网页。"
    "The page used a function of the old interface[, “{verb}”,] that Sealbridge has nothing for."
    "The site's developers can find what to use instead in the migration guide."

    AccountMalformed "account-malformed" Caller []
    "网站给出的账号不符合要求（1 到 128 个字符，不能含有控制字符）。"
    "请刷新网页后重试；如果仍然出现，请告诉网站的技术人员。"
    "The site's account name is not acceptable (1 to 128 characters, no control characters)."
    "Reload the page and try again; if it happens again, tell the site's support."

    TooManyDocuments "too-many-documents" Caller ["count", "limit"]
    "一次要盖章的文件太多[（{count} 份）]。为了让您能逐一看清，每次的数量有上限[（{limit} 份）]。"
    "请分几次盖章。"
    "Too many documents at once[ ({count})]; so that you can read the list, there is a limit[ of {limit}] for each time."
    "Please stamp them in several rounds."

    GestureNeeded "gesture-needed" Caller []
    "网页没有等您点击就要使用 USB Key，已拒绝。"
    "请点击网页上的按钮（如【CA登录】）后再试；如果刚刚点击过，请再点击一次。"
    "The page wanted to use your USB key without a click of yours and was refused."
    "Click the page's button (such as “CA login”) and try again; if you have just clicked, click once more."

    TooManyCancels "too-many-cancels" Caller ["origin", "seconds"]
    "这个网站[（{origin}）]的请求已被连续取消多次，暂停使用印桥[，还有 {seconds} 秒]。"
    "请稍后再试；如果是您本人要操作，可以点击浏览器工具栏上的印桥图标，选择【立即恢复】。"
    "Requests of this site[ ({origin})] were cancelled several times in a row, so it may not use Sealbridge for a while[: {seconds} more seconds]."
    "Try again later; if you want to go on now, click the Sealbridge icon in the browser's toolbar and choose “Resume now”."

    // ---- Environment: what must be installed or repaired on this computer --------------------------------------

    ExtensionMissing "extension-missing" Environment ["browser"]
    "这个浏览器[（{browser}）]还没有安装印桥扩展，或者扩展被停用了。"
    "请安装或启用印桥扩展，然后刷新本页面。"
    "The Sealbridge extension is not installed in this browser[ ({browser})], or it is switched off."
    "Install or enable the Sealbridge extension, then reload this page."

    ExtensionNotEnabled "extension-not-enabled" Environment ["origin"]
    "印桥扩展已经安装，但还没有在这个网站[（{origin}）]上启用。"
    "请点击浏览器工具栏上的印桥图标，选择【在此网站启用】，然后刷新本页面。"
    "The Sealbridge extension is installed but not enabled on this site[ ({origin})]."
    "Click the Sealbridge icon in the browser's toolbar, choose “Enable on this site”, then reload this page."

    ExtensionStopped "extension-stopped" Environment []
    "印桥扩展在操作过程中被浏览器停止或更新了。"
    "请刷新本页面后重试；已经完成的签名不会重复。"
    "The browser stopped or updated the Sealbridge extension during the operation."
    "Reload this page and try again; a signature that was finished is not made twice."

    HostMissing "host-missing" Environment ["path"]
    "没有找到印桥本机程序[（{path}）]。扩展需要它才能使用 USB Key。"
    "请下载并安装印桥本机程序（驱动安装页面），安装后重新打开浏览器。"
    "The Sealbridge program is not installed on this computer[ ({path})]. The extension needs it to use your USB key."
    "Download and install the Sealbridge program (see Drivers), then restart the browser."

    HostForbidden "host-forbidden" Environment ["extension"]
    "浏览器不允许这个扩展[（{extension}）]启动印桥本机程序。"
    "请运行 sealbridge doctor 查看原因，或重新安装印桥；单位统一管理的电脑请联系管理员。"
    "The browser does not let this extension[ ({extension})] start the Sealbridge program."
    "Run “sealbridge doctor” to see why, or install Sealbridge again; on a managed computer ask the administrator."

    HostLost "host-lost" Environment []
    "印桥本机程序在操作过程中意外结束。"
    "请重试。已经完成的签名会被找回，不会重复签名；如果反复出现，请运行 sealbridge doctor。"
    "The Sealbridge program ended unexpectedly during the operation."
    "Please try again. A finished signature is recovered and never made twice; if it keeps happening, run “sealbridge doctor”."

    HostTimeout "host-timeout" Environment []
    "印桥本机程序没有在规定时间内回答。"
    "请拔下并重新插入 USB Key 后重试；如果反复出现，请运行 sealbridge doctor。"
    "The Sealbridge program did not answer in time."
    "Unplug the USB key, plug it in again and retry; if it keeps happening, run “sealbridge doctor”."

    AnswerMalformed "answer-malformed" Environment ["detail"]
    "印桥本机程序的回答无法识别[：{detail}]。"
    "请把印桥扩展和本机程序都更新到最新版本。"
    "The Sealbridge program gave an answer that cannot be understood[: {detail}]."
    "Update both the Sealbridge extension and the Sealbridge program."

    ManifestMissing "manifest-missing" Environment ["browser", "path"]
    "印桥本机程序还没有在浏览器[ {browser} ]中登记[（缺少 {path}）]。"
    "请运行 sealbridge install，然后重新打开浏览器。"
    "The Sealbridge program is not registered with the browser[ {browser}][ ({path} is missing)]."
    "Run “sealbridge install”, then restart the browser."

    ManifestMismatch "manifest-mismatch" Environment ["browser", "path", "detail"]
    "浏览器[ {browser} ]中的登记与印桥不符[（{path}）][：{detail}]。"
    "请运行 sealbridge install 重新登记，然后重新打开浏览器。"
    "The registration with the browser[ {browser}] does not fit Sealbridge[ ({path})][: {detail}]."
    "Run “sealbridge install” to register again, then restart the browser."

    BinaryMissing "binary-missing" Environment ["path"]
    "登记的印桥本机程序文件不存在或无法运行[：{path}]。"
    "请重新安装印桥。"
    "The registered Sealbridge program file is missing or cannot be run[: {path}]."
    "Install Sealbridge again."

    ConfigurationMalformed "configuration-malformed" Environment ["path", "detail"]
    "印桥的配置文件有误[（{path}）][：{detail}]。"
    "请改正配置文件，或联系安装印桥的管理员。"
    "The Sealbridge configuration file is wrong[ ({path})][: {detail}]."
    "Correct the file, or ask the administrator who installed Sealbridge."

    InstallFailed "install-failed" Environment ["path", "detail"]
    "登记没有成功[（{path}）][：{detail}]。"
    "请检查该位置的写入权限后重试，或联系管理员。"
    "The registration did not succeed[ ({path})][: {detail}]."
    "Check that the place can be written to and try again, or ask the administrator."

    DialogMissing "dialog-missing" Environment []
    "找不到可以输入密码（PIN）的窗口程序。"
    "请安装 pinentry（例如 pinentry-gnome3 或 pinentry-qt）后重试。"
    "There is no program that can show the PIN window."
    "Install pinentry (for example pinentry-gnome3 or pinentry-qt) and try again."

    DialogFailed "dialog-failed" Environment ["program", "detail"]
    "密码窗口无法打开[（{program}）][：{detail}]。"
    "请确认您已登录到图形桌面后重试；如果反复出现，请运行 sealbridge doctor。"
    "The PIN window could not be opened[ ({program})][: {detail}]."
    "Make sure that you are logged in to a desktop and try again; if it keeps happening, run “sealbridge doctor”."

    ModuleNotConfigured "module-not-configured" Environment []
    "还没有设置 USB Key 的驱动。"
    "请安装 USB Key 的驱动，并在印桥配置文件中写明驱动文件的位置；不清楚时请联系 CA 机构客服。"
    "No driver for a USB key has been set up."
    "Install the key's driver and name its file in the Sealbridge configuration; ask the CA's support if unsure."

    ModuleMissing "module-missing" Environment ["module", "path"]
    "找不到 USB Key 的驱动文件[“{module}”][（{path}）]。"
    "请重新安装 USB Key 的驱动，然后重试。"
    "The USB key's driver file is missing[: “{module}”][ ({path})]."
    "Install the key's driver again, then retry."

    ModuleFailed "module-failed" Environment ["module", "path", "detail"]
    "USB Key 的驱动[“{module}”]无法加载[（{path}）][：{detail}]。"
    "请安装与本机系统相符（64 位）的最新驱动，然后重试。"
    "The USB key's driver[ “{module}”] cannot be loaded[ ({path})][: {detail}]."
    "Install the latest driver for this system (64 bit), then retry."

    ModuleCrashed "module-crashed" Environment ["module"]
    "USB Key 的驱动[“{module}”]异常退出，操作没有完成。"
    "请拔下并重新插入 USB Key 后重试；如果反复出现，请更新驱动。"
    "The USB key's driver[ “{module}”] crashed; the operation was not finished."
    "Unplug the key, plug it in again and retry; if it keeps happening, update the driver."

    ModuleHung "module-hung" Environment ["module"]
    "USB Key 的驱动[“{module}”]没有响应，已被结束。"
    "请拔下并重新插入 USB Key 后重试；如果反复出现，请更新驱动。"
    "The USB key's driver[ “{module}”] stopped answering and was ended."
    "Unplug the key, plug it in again and retry; if it keeps happening, update the driver."

    ModuleRefused "module-refused" Environment ["module", "path", "detail"]
    "为了安全，没有加载 USB Key 的驱动[“{module}”][（{path}）][：{detail}]。"
    "驱动文件必须写绝对路径，并且只有管理员可以修改。请联系管理员。"
    "For safety the USB key's driver[ “{module}”] was not loaded[ ({path})][: {detail}]."
    "A driver must be named by its absolute path and be writable by the administrator only. Ask the administrator."

    JournalFailed "journal-failed" Environment ["path", "detail"]
    "无法保存操作记录[（{path}）][：{detail}]，因此没有签名。"
    "请检查磁盘空间和文件夹权限后重试。"
    "The record of the operation could not be saved[ ({path})][: {detail}], so nothing was signed."
    "Check the disk space and the folder's permissions, then try again."

    JournalFull "journal-full" Environment ["limit"]
    "短时间内的操作太多，本机的操作记录已满[（上限 {limit} 条）]，为避免重复签名已停止。"
    "请等十分钟后重试。"
    "There were too many operations in a short time and this computer's journal is full[ (limit {limit})]; to sign nothing twice it stops here."
    "Wait ten minutes, then try again."

    AuthorityMissing "authority-missing" Environment []
    "本机没有设置可信的发证机构，不能激活、解锁或安装证书。"
    "请联系安装印桥的管理员，在配置文件中加入发证机构的证书。"
    "No certification authority is set up on this computer, so keys cannot be activated, unlocked or given certificates."
    "Ask the administrator who installed Sealbridge to add the authority's certificate to the configuration."

    RecordFailed "record-failed" Environment ["path", "detail"]
    "签名记录无法写入或读取[（{path}）][：{detail}]。"
    "请检查磁盘空间和权限后重试，或联系管理员。"
    "The record of what was signed cannot be written or read[ ({path})][: {detail}]."
    "Check disk space and permissions and try again, or ask the administrator."

    RecordBroken "record-broken" Environment ["entry"]
    "签名记录被改动过[：从第 {entry} 条起与前面的内容不衔接]。"
    "请保留记录文件，不要修改，并联系管理员。"
    "The record of what was signed was changed[: from entry {entry} on it does not follow from what stands before]."
    "Keep the file as it is and contact the administrator."

    FontMissing "font-missing" Environment ["fonts"]
    "填写中文或日期需要一种中文字体，本机没有找到[（找过 {fonts}）]。"
    "请安装一种中文字体（例如文泉驿微米黑或思源黑体），或用 --font 指定字体文件。"
    "Chinese text or a date needs a Chinese font, and none was found on this computer[ (looked for {fonts})]."
    "Install a Chinese font (WenQuanYi Micro Hei or Noto Sans CJK, for example), or name a font file with --font."

    ServiceAddressRefused "service-address-refused" Environment ["service", "address", "detail"]
    "[{service} ]服务的网址不能使用[：{address}][（{detail}）]。"
    "时间戳和证书状态服务只支持 http:// 网址（应答本身带有签名）；请核对网址，或向 CA 机构客服索取 http:// 网址。"
    "The address of the[ {service}] service cannot be used[: {address}][ ({detail})]."
    "Services for timestamps and certificate status are asked over http:// only, because their answers are signed; check the address, or ask the CA's support for one with http://."

    ServiceUnreachable "service-unreachable" Environment ["service", "address", "detail"]
    "无法连接[ {service} ]服务[：{address}][（{detail}）]。"
    "请检查网络后重试；已盖好的章不受影响，稍后可以用 sealbridge extend 补上时间戳和证书状态。"
    "The[ {service}] service cannot be reached[: {address}][ ({detail})]."
    "Check the network and try again; a stamp that was made is kept, and sealbridge extend adds timestamp and certificate status later."

    DeskUnreachable "desk-unreachable" Environment ["address"]
    "无法连接 CA 的办理网站[（{address}）]。"
    "请检查网址和网络，然后点同一个按钮继续；已经办好的步骤不会重做。"
    "The authority's desk cannot be reached[ ({address})]."
    "Check the address and the network, then press the same button to go on; what is done is not done again."

    DeskRefused "desk-refused" Environment ["reason", "what", "remedy"]
    "CA 的办理网站没有放行[（{reason}）][：{what}]。"
    "[{remedy}]处理好后，点同一个按钮继续。"
    "The authority's desk did not go on[ ({reason})][: {what}]."
    "[{remedy} ]Then press the same button to go on."

    DeskAnswerMalformed "desk-answer-malformed" Environment ["address", "detail"]
    "CA 的办理网站[（{address}）]给出的答复看不懂[（{detail}）]。"
    "请核对网址是不是 CA 提供的办理网址；网址无误时请联系 CA 的客服。"
    "The answer of the authority's desk[ ({address})] cannot be understood[ ({detail})]."
    "Check that the address is the one the authority gave you; if it is, contact the authority's support."

    ServiceTimedOut "service-timed-out" Environment ["service", "address", "seconds"]
    "[{service} ]服务没有在[ {seconds} 秒的]时限内应答[：{address}]。"
    "请稍后重试，或用 --patience 延长等待时间；已盖好的章不受影响，稍后可以用 sealbridge extend 补上时间戳和证书状态。"
    "The[ {service}] service did not answer in time[ ({seconds} s)][: {address}]."
    "Try again later, or wait longer with --patience; a stamp that was made is kept, and sealbridge extend adds timestamp and certificate status later."

    ServiceAnswerTooLarge "service-answer-too-large" Environment ["service", "address", "limit"]
    "[{service} ]服务的应答太大，已拒绝[（上限 {limit} 字节）][：{address}]。"
    "请核对服务的网址；如果网址正确，请告诉 CA 机构客服。"
    "The answer of the[ {service}] service is too large and was refused[ (limit {limit} bytes)][: {address}]."
    "Check the service's address; if it is right, tell the CA's support."

    ServiceAnswerInvalid "service-answer-invalid" Environment ["service", "address", "detail"]
    "[{service} ]服务的应答无效，未采用[：{address}][（{detail}）]。"
    "请核对服务的网址；如果网址正确，请告诉 CA 机构客服。"
    "The answer of the[ {service}] service is not valid and was not relied on[: {address}][ ({detail})]."
    "Check the service's address; if it is right, tell the CA's support."

    ServiceRefused "service-refused" Environment ["service", "address", "detail"]
    "[{service} ]服务拒绝了请求[：{address}][（{detail}）]。"
    "请稍后重试；如果仍然被拒绝，请联系提供该服务的机构。"
    "The[ {service}] service refused the request[: {address}][ ({detail})]."
    "Try again later; if it is refused again, ask whoever runs the service."

    TimestampUntrusted "timestamp-untrusted" Environment ["authority", "detail"]
    "时间戳机构[“{authority}”]不受信任[：{detail}]。"
    "请用 --trust 指定该时间戳机构的根证书，或换用受信任的时间戳服务。"
    "The timestamping authority[ “{authority}”] is not trusted[: {detail}]."
    "Name its root certificate with --trust, or use a timestamping service that is trusted."

    StatusUnknown "certificate-status-unknown" Environment ["certificate", "detail"]
    "无法获得证书[“{certificate}”]是否被吊销的信息[：{detail}]。"
    "请稍后重试；如果一直如此，请联系颁发该证书的 CA 机构。"
    "Nothing usable can be had on whether the certificate[ “{certificate}”] was revoked[: {detail}]."
    "Try again later; if it lasts, ask the CA that issued the certificate."

    // ---- User: the person at the keyboard ----------------------------------------------------------------------

    Cancelled "cancelled" User []
    "您取消了操作，没有签名。"
    "需要时可以重新开始。"
    "You cancelled; nothing was signed."
    "You can start again whenever you like."

    TimedOut "timed-out" User ["seconds"]
    "等待时间已过[（{seconds} 秒）]，操作已取消，没有签名。"
    "请重新开始，并在时限内确认并输入密码（PIN）。"
    "The time for your answer ran out[ ({seconds} seconds)]; nothing was signed."
    "Start again, and confirm and enter the PIN in time."

    PinWeak "pin-weak" User []
    "新密码不符合要求：至少 8 位，并且要有大写字母、小写字母、数字和特殊字符。"
    "请另选一个密码；不要使用生日、电话号码或者原来的密码。"
    "The new PIN does not meet the rule: at least 8 characters, with upper and lower case letters, digits and special characters."
    "Choose another one; no birthday, no telephone number, not the PIN that you had."

    PinSame "pin-same" User []
    "新密码与原来的密码（或出厂密码）相同。"
    "请另选一个密码。"
    "The new PIN is the one that was set before, or the key's default."
    "Choose another one."

    PinMismatch "pin-mismatch" User []
    "两次输入的新密码不一致，密码没有更改。"
    "请重新操作，两次输入相同的新密码。"
    "The new PIN was not the same both times; nothing was changed."
    "Do it again and type the same new PIN twice."

    // ---- Token: the USB key, its PIN, certificates and seals ---------------------------------------------------

    TokenMissing "token-missing" Token []
    "没有检测到 USB Key。"
    "请插入 USB Key，等指示灯亮起后重试；如果已经插好，请换一个 USB 接口或重新安装驱动。"
    "No USB key was found."
    "Plug in the USB key, wait for its light and try again; if it is plugged in, try another port or install its driver again."

    TokenRemoved "token-removed" Token []
    "USB Key 在操作过程中被拔出，操作没有完成。"
    "请重新插入 USB Key，然后重新操作；完成之前不要拔出。"
    "The USB key was pulled out during the operation, which was not finished."
    "Plug it in again and repeat the operation; leave the key in until it is done."

    TokenAmbiguous "token-ambiguous" Token ["count", "tokens"]
    "同时插入了多个 USB Key[（{count} 个）][：{tokens}]。"
    "请只保留要使用的那一个，或者选择其中的证书，然后重试。"
    "More than one USB key is plugged in[ ({count})][: {tokens}]."
    "Leave only the one that you want to use, or choose its certificate, then try again."

    TokenUninitialised "token-uninitialised" Token ["token"]
    "这个 USB Key[“{token}”]是空白的，还没有激活。"
    "请先点击浏览器上的印桥图标，打开【钥匙中心】，在主页点击【激活证书】，激活后再使用。"
    "This USB key[ “{token}”] is blank: it has not been activated."
    "First click Sealbridge's icon in the browser, open “Key centre”, and choose “Activate certificate” there."

    TokenBusy "token-busy" Token ["token"]
    "USB Key[“{token}”]正在被其他程序使用。"
    "请关闭其他正在使用 USB Key 的程序，然后重试。"
    "The USB key[ “{token}”] is in use by another program."
    "Close other programs that use the key, then try again."

    TokenError "token-error" Token ["function", "rv"]
    "USB Key 报告了错误[（{function}：{rv}）]，操作没有完成。"
    "请拔下并重新插入 USB Key 后重试；如果仍然出现，请把括号中的内容告诉 CA 机构客服。"
    "The USB key reported an error[ ({function}: {rv})]; the operation was not finished."
    "Unplug the key, plug it in again and retry; if it happens again, tell the CA's support what stands in brackets."

    PinIncorrect "pin-incorrect" Token ["triesLeft"]
    "密码（PIN）不正确[，还可以再试 {triesLeft} 次]。"
    "请核对后重新输入，注意大小写。次数用完后 USB Key 会被锁定；想不起密码时请不要继续尝试，可办理【忘记密码】。"
    "The PIN is not correct[; tries left: {triesLeft}]."
    "Check it and enter it again, minding upper and lower case. The key locks when no tries are left; if you do not remember the PIN, stop and apply under “Forgot PIN”."

    PinLastTry "pin-last-try" Token []
    "只剩最后一次机会：密码（PIN）再输错一次，USB Key 就会被锁定。"
    "除非您确定密码正确，否则请不要再试；可联系单位里保管密码的人，或办理【忘记密码】。"
    "One try is left: if the PIN is wrong once more, the USB key will be locked."
    "Do not try again unless you are sure of the PIN; ask the person who keeps it, or apply under “Forgot PIN”."

    PinLocked "pin-locked" Token []
    "USB Key 已被锁定：密码（PIN）输错的次数太多。"
    "证书和印章没有丢失。请到【CA管理】办理【忘记密码】（解锁）并设置新密码，解锁后即可继续使用。"
    "The USB key is locked: a wrong PIN was entered too often."
    "The certificate and seal are not lost. Go to “CA management” and apply under “Forgot PIN” (unlock) to set a new PIN; then the key works again."

    PinLength "pin-length" Token ["minimum", "maximum"]
    "密码（PIN）的长度不对[（应为 {minimum} 到 {maximum} 位）]。"
    "请重新输入。这次没有占用尝试次数。"
    "The PIN has the wrong length[ (it must be {minimum} to {maximum} characters)]."
    "Enter it again. No try was used up."

    PinCharacters "pin-characters" Token []
    "密码（PIN）里有 USB Key 不能接受的字符。"
    "请切换到英文输入法后重新输入。这次没有占用尝试次数。"
    "The PIN holds characters that the USB key cannot take."
    "Switch to an English input method and enter it again. No try was used up."

    PinNotSet "pin-not-set" Token []
    "这个 USB Key 还没有设置密码（PIN）。"
    "请先点击浏览器上的印桥图标，打开【钥匙中心】，在主页点击【激活证书】并设置密码。"
    "No PIN has been set on this USB key yet."
    "First click Sealbridge's icon in the browser, open “Key centre”, choose “Activate certificate” there and set a PIN."

    OfficerLocked "officer-locked" Token []
    "这个 USB Key 的解锁码也已经锁死，无法在线解锁。"
    "请联系发证机构：Key 需要寄回重新初始化，或者办理补办。"
    "The code that unlocks this USB key is locked too; the key cannot be unlocked online."
    "Contact the authority that issued it: the key must be sent in and set up again, or be replaced."

    PinOnPad "pin-on-pad" Token ["token"]
    "这个 USB Key[（{token}）]的密码（PIN）要在它自己的键盘或读卡器上输入，印桥不能为它设置新密码。"
    "请用这个 Key 自带的管理程序修改密码；激活或解锁请联系发证机构的客服。"
    "The PIN of this USB key[ ({token})] is typed on its own keys or its reader, where Sealbridge cannot set a new one."
    "Change the PIN with the key's own program; to activate or unlock it, contact the support of the authority that issued it."

    UnlockFailed "unlock-failed" Token []
    "解锁失败：USB Key 没有接受发证机构的解锁码。"
    "请不要再次尝试，并联系发证机构的客服，说明业务编号。"
    "Unlocking failed: the USB key did not accept the authority's unlock code."
    "Do not try again; contact the support of the authority and name the number of the business."

    TokenInUse "token-in-use" Token ["token"]
    "这个 USB Key[（{token}）]已经启用，不能用于另一次激活。"
    "请插入发证机构为这次业务寄来的 Key，然后重试。"
    "This USB key[ ({token})] is in use already and cannot be activated for another business."
    "Insert the key that the authority sent for this business and try again."

    TokenFull "token-full" Token ["token"]
    "USB Key[（{token}）]的空间不够。"
    "请联系发证机构的客服。"
    "There is not enough room on the USB key[ ({token})]."
    "Contact the support of the authority that issued it."

    CertificateOtherKey "certificate-other-key" Token []
    "收到的证书不是为这个 USB Key 上的密钥签发的，没有安装。"
    "请确认插入的是办理业务时的那个 Key，然后重试。"
    "The certificate is not for a key on this USB key; it was not installed."
    "Make sure that the key of this business is inserted, then try again."

    WrittenDiffers "written-differs" Token ["what"]
    "写入 USB Key 的内容[（{what}）]读出来不一致。"
    "请拔下并重新插入 Key，然后再点一次；如果仍然出现，请联系发证机构的客服。"
    "What was written on the USB key[ ({what})] does not read back the same."
    "Unplug the key, plug it in again and repeat the step; if it happens again, contact the authority's support."

    CertificateMissing "certificate-missing" Token []
    "USB Key 里没有找到可用的证书。"
    "请确认插入的是 CA 机构发放的 USB Key，并已完成【安装证书】；仍然没有时请联系 CA 机构客服。"
    "No usable certificate was found on the USB key."
    "Check that it is the key the CA gave you and that “Install certificate” has been done; otherwise ask the CA's support."

    CertificateAmbiguous "certificate-ambiguous" Token ["count", "certificates"]
    "有多张证书可以使用[（{count} 张）]，需要您选择一张。"
    "请在列表中选择要使用的证书；或者只插入一个 USB Key 后重试。"
    "More than one certificate can be used[ ({count})]; please choose one."
    "Choose the certificate in the list, or plug in only one USB key and try again."

    CertificateUnreadable "certificate-unreadable" Token ["detail"]
    "证书无法读取[：{detail}]。"
    "请拔下并重新插入 USB Key 后重试；如果仍然出现，请联系 CA 机构客服。"
    "The certificate cannot be read[: {detail}]."
    "Unplug the key, plug it in again and retry; if it happens again, ask the CA's support."

    CertificateExpired "certificate-expired" Token ["notAfter"]
    "证书已经过期[（{notAfter}）]。"
    "请到【CA管理】办理【续期】；如果续期入口已关闭，请办理【补办】。"
    "The certificate has expired[ ({notAfter})]."
    "Go to “CA management” and apply under “Renew”; if renewal is closed, under “Reissue”."

    CertificateNotYetValid "certificate-not-yet-valid" Token ["notBefore"]
    "证书还没有到生效时间[（{notBefore}）]。"
    "请先检查电脑的日期和时间是否正确；如果正确，请在生效后再使用。"
    "The certificate is not valid yet[ (from {notBefore})]."
    "First check that this computer's date and time are right; if so, wait until the certificate is valid."

    CertificateEncryptionOnly "certificate-encryption-only" Token []
    "这是加密证书，只能用于加密和解密，不能用于登录和盖章。"
    "请选择同一个 USB Key 里的签名证书。"
    "This is an encryption certificate; it cannot be used to log in or to stamp."
    "Choose the signing certificate on the same USB key."

    CertificateKeyUsage "certificate-key-usage" Token ["usage"]
    "这张证书的用途不允许进行此操作[（缺少 {usage}）]。"
    "请选择另一张证书；如果没有，请联系 CA 机构客服。"
    "This certificate may not be used for this operation[ ({usage} is missing)]."
    "Choose another certificate; if there is none, ask the CA's support."

    KeyMissing "key-missing" Token []
    "USB Key 里有证书，但没有与它对应的私钥。"
    "请选择另一张证书；如果没有，请到【CA管理】办理【补办】。"
    "The certificate is on the USB key, but its private key is not."
    "Choose another certificate; if there is none, apply under “Reissue” in “CA management”."

    KeyUnsupported "key-unsupported" Token ["algorithm"]
    "暂不支持这张证书的密钥算法[（{algorithm}）]。"
    "请选择另一张证书，或把印桥更新到最新版本。"
    "The certificate's kind of key[ ({algorithm})] is not supported."
    "Choose another certificate, or update Sealbridge."

    SealMissing "seal-missing" Token []
    "USB Key 里没有电子印章。"
    "请到【印章办理】申请印章；已经申请的，请点击【安装印章】把印章装入 USB Key。"
    "There is no electronic seal on the USB key."
    "Apply for one under “Seal service”; if you already have, choose “Install seal” to put it on the key."

    SealAmbiguous "seal-ambiguous" Token ["count"]
    "有多枚印章可以使用[（{count} 枚）]，需要您选择一枚。"
    "请在【我的印章】中选择要使用的印章。"
    "More than one seal can be used[ ({count})]; please choose one."
    "Choose the seal under “My seal”."

    SealInvalid "seal-invalid" Token ["detail"]
    "印章数据不正确，不能使用[：{detail}]。"
    "请重新【安装印章】；如果仍然出现，请联系印章制作单位。"
    "The seal's data is not valid and cannot be used[: {detail}]."
    "Choose “Install seal” again; if it happens again, ask the maker of the seal."

    SealOtherCertificate "seal-other-certificate" Token []
    "这枚印章属于另一张证书（续期或补办之后需要重新安装印章）。"
    "请选择与印章对应的证书；证书续期或补办后，请到【印章办理】重新【安装印章】。"
    "This seal belongs to another certificate (after renewal or reissue a seal must be installed again)."
    "Choose the certificate that belongs to the seal; after renewal or reissue use “Install seal” under “Seal service”."

    SealExpired "seal-expired" Token ["notAfter"]
    "印章已经过期[（{notAfter}）]。"
    "请到【印章办理】办理续期或重新申请。"
    "The seal has expired[ ({notAfter})]."
    "Renew it or apply for a new one under “Seal service”."

    SealNotYetValid "seal-not-yet-valid" Token ["notBefore"]
    "印章还没有到生效时间[（{notBefore}）]。"
    "请先检查电脑的日期和时间是否正确；如果正确，请在生效后再使用。"
    "The seal is not valid yet[ (from {notBefore})]."
    "First check that this computer's date and time are right; if so, wait until the seal is valid."

    SealTooLarge "seal-too-large" Token ["size", "limit"]
    "印章数据太大[（{size} 字节，上限 {limit} 字节）]。"
    "请联系印章制作单位，换成较小的印章图像。"
    "The seal's data is too large[ ({size} bytes; limit {limit})]."
    "Ask the maker of the seal for a smaller picture."

    SignatureMismatch "signature-mismatch" Token []
    "USB Key 给出的签名与证书不符，已丢弃。"
    "请拔下并重新插入 USB Key 后重试；如果仍然出现，请停止使用并联系 CA 机构客服。"
    "The signature that the USB key gave does not fit the certificate and was thrown away."
    "Unplug the key, plug it in again and retry; if it happens again, stop using it and ask the CA's support."

    // ---- Document: the PDF, the place in it, the file -----------------------------------------------------------

    NotPdf "not-pdf" Document ["name"]
    "[“{name}”：]这个文件不是 PDF。"
    "请选择 PDF 文件；Word 或图片文件请先另存为 PDF。"
    "[“{name}”: ]this file is not a PDF."
    "Choose a PDF file; save a Word document or a picture as PDF first."

    PdfTruncated "pdf-truncated" Document ["name"]
    "[“{name}”：]PDF 文件不完整，可能没有下载完。"
    "请重新下载或重新生成文件后再试。"
    "[“{name}”: ]the PDF is cut short; the download may not have finished."
    "Download or make the file again, then retry."

    PdfDamaged "pdf-damaged" Document ["name", "at", "detail"]
    "[“{name}”：]PDF 文件已损坏[（位置 {at}）][：{detail}]。"
    "请重新下载，或用原来的软件重新生成 PDF 后再试。"
    "[“{name}”: ]the PDF is damaged[ (at byte {at})][: {detail}]."
    "Download it again, or make the PDF again with the original program."

    PdfPasswordNeeded "pdf-password-needed" Document ["name"]
    "[“{name}”：]PDF 文件有打开密码。"
    "请输入文件的打开密码（不是 USB Key 的密码）后继续。"
    "[“{name}”: ]the PDF needs a password to be opened."
    "Enter the document's own password (not the USB key's PIN) to continue."

    PdfPasswordWrong "pdf-password-wrong" Document ["name"]
    "[“{name}”：]PDF 文件的打开密码不正确。"
    "请核对后重新输入，或向文件的制作者询问。"
    "[“{name}”: ]the PDF's password is not correct."
    "Check it and enter it again, or ask whoever made the document."

    PdfForbidsChanges "pdf-forbids-changes" Document ["name", "detail"]
    "[“{name}”：]PDF 文件的制作者不允许再修改或盖章[（{detail}）]。"
    "请向文件的制作者索取允许盖章的版本。"
    "[“{name}”: ]the PDF's author does not allow changes or stamps[ ({detail})]."
    "Ask whoever made the document for one that may be stamped."

    PdfOverBudget "pdf-over-budget" Document ["name", "detail"]
    "[“{name}”：]PDF 文件过于复杂，超出了安全处理的范围[（{detail}）]。"
    "请用其他软件重新生成（例如“打印为 PDF”）后再试。"
    "[“{name}”: ]the PDF is too complex to be handled safely[ ({detail})]."
    "Make it again with another program (for example “print to PDF”), then retry."

    PdfUnsupported "pdf-unsupported" Document ["name", "detail"]
    "[“{name}”：]PDF 文件用到了不支持的功能[（{detail}）]。"
    "请用其他软件重新生成普通的 PDF 后再试。"
    "[“{name}”: ]the PDF uses a feature that is not supported[ ({detail})]."
    "Make a plain PDF of it with another program, then retry."

    PageMissing "page-missing" Document ["page", "pages"]
    "文件里没有要盖章的那一页[（第 {page} 页）][，文件共 {pages} 页]。"
    "请重新选择盖章的页。"
    "The document does not have the page to be stamped[ (page {page})][; it has {pages}]."
    "Choose the page again."

    FieldMissing "field-missing" Document ["field"]
    "文件里没有这个表单域[“{field}”]。"
    "请重新选择盖章位置；如果是网站指定的位置，请告诉网站的技术人员。"
    "The document has no such form field[: “{field}”]."
    "Choose the place again; if the site chose it, tell the site's support."

    FieldSigned "field-signed" Document ["field"]
    "这个位置[“{field}”]已经盖过章。"
    "请选择另一个盖章位置。"
    "This place[ “{field}”] has been stamped already."
    "Choose another place."

    FieldValue "field-value" Document ["field", "detail"]
    "表单内容不符合要求[“{field}”][：{detail}]。"
    "请按表单的要求修改后重试。"
    "A value in the form is not acceptable[: “{field}”][: {detail}]."
    "Change it as the form demands and try again."

    FieldReadOnly "field-read-only" Document ["field"]
    "这个表单域[“{field}”]不允许修改。"
    "请不要填写它，直接盖章；如需修改请联系文件的制作者。"
    "This form field[ “{field}”] may not be changed."
    "Leave it as it is and stamp; ask whoever made the document if it must change."

    PlacementNeeded "placement-needed" Document ["name", "fields"]
    "[“{name}”：]没有说明盖章的位置，文件里也不是恰好有一个待盖章的签名域[（{fields}）]。"
    "请指定签名域（--field）、页码和位置（--page、--at）、关键字（--keyword）或骑缝章（--seam）。"
    "[“{name}”: ]no place was given, and the document does not have exactly one signature field that waits for a seal[ ({fields})]."
    "Name a signature field (--field), a page and a point (--page, --at), a keyword (--keyword) or a riding seam (--seam)."

    KeywordMissing "keyword-missing" Document ["keyword"]
    "没有在文件里找到要盖章的文字[（“{keyword}”）]。"
    "请核对这段文字，或在页面上手动选择盖章位置；扫描件里没有可以查找的文字。"
    "The text beside which to stamp was not found in the document[ (“{keyword}”)]."
    "Check the text, or choose the place on the page by hand; scanned pages hold no text that can be searched."

    PagesMalformed "pages-malformed" Document ["pages"]
    "页码范围不正确[：“{pages}”]。"
    "请写成“1-3，5，末页”“奇数页”或“全部”这样的形式，不要超出文件的页数；骑缝章至少需要两页。"
    "The range of pages is not usable[: “{pages}”]."
    "Write it like “1-3,5,last”, “odd” or “all”, within the document's pages; a riding seam needs two pages at least."

    MarksOnSigned "marks-on-signed" Document []
    "文件里已有别人的签章，一次签名不能再盖在多处，否则别人的签章会失效，因此没有盖章。"
    "请每次只盖一处，每一处单独签一次名；骑缝章请由第一个盖章的人来盖。"
    "The document already carries a signature; one more signature cannot show seals in several places without breaking it, so it was not stamped."
    "Stamp one place at a time, each with its own signature; a riding seam is for whoever stamps first."

    PlacementOutside "placement-outside" Document ["page"]
    "印章超出了页面[（第 {page} 页）]的范围。"
    "请把印章移到页面之内。"
    "The seal would lie outside of the page[ (page {page})]."
    "Move the seal inside the page."

    EarlierSignatureWouldBreak "earlier-signature-would-break" Document ["signer", "field"]
    "文件里已有签章[（{signer}）][“{field}”]，这样修改会使它失效，因此没有盖章。"
    "请不要再修改表单内容，只盖章；或向对方索取盖章之前的版本。"
    "The document already carries a signature[ ({signer})][ “{field}”] that this change would break, so it was not stamped."
    "Stamp without changing the form, or ask for the version from before that signature."

    FileInUse "file-in-use" Document ["name"]
    "[“{name}”：]文件正被另一个程序使用（可能正在盖章）。"
    "请等它完成，或关闭使用该文件的程序，然后重试。"
    "[“{name}”: ]another program is using the file (it may be stamping it)."
    "Wait until it is done, or close the program that uses the file, then try again."

    DocumentChanged "document-changed" Document ["name"]
    "[“{name}”：]文件在盖章过程中发生了变化，已停止。"
    "请关闭其他正在使用该文件的程序，重新打开文件后再盖章。"
    "[“{name}”: ]the document changed while it was being stamped, so the operation was stopped."
    "Close other programs that use it, open it again and stamp."

    ResultInvalid "result-invalid" Document ["name", "detail"]
    "[“{name}”：]盖章结果没有通过印桥自己的验证，因此没有保存[：{detail}]。"
    "请重试；如果仍然出现，请用其他软件重新生成 PDF，并把本提示告诉技术人员。"
    "[“{name}”: ]the stamped document did not pass our own check and was not saved[: {detail}]."
    "Try again; if it happens again, make the PDF again with another program and show this message to the support."

    ReadFailed "read-failed" Document ["name", "detail"]
    "[“{name}”：]文件无法读取[：{detail}]。"
    "请确认文件没有被移动或删除，并且您有权读取，然后重试。"
    "[“{name}”: ]the file cannot be read[: {detail}]."
    "Check that it was not moved or deleted and that you may read it, then try again."

    WriteFailed "write-failed" Document ["name", "detail"]
    "[“{name}”：]盖章后的文件无法保存[：{detail}]。原文件没有改动。"
    "请检查保存位置的权限，或换一个位置后重试。"
    "[“{name}”: ]the stamped document could not be saved[: {detail}]. The original was not touched."
    "Check that the place can be written to, or choose another, then try again."

    DiskFull "disk-full" Document ["name", "needed"]
    "[“{name}”：]磁盘空间不足[（还需要 {needed} 字节）]，没有保存。原文件没有改动。"
    "请清理磁盘空间，或保存到其他磁盘。"
    "[“{name}”: ]there is no space left[ ({needed} more bytes are needed)]; nothing was saved and the original was not touched."
    "Free some disk space, or save to another disk."

    OutputExists "output-exists" Document ["name"]
    "[“{name}”：]目标文件已经存在，没有覆盖。"
    "请换一个文件名；确实要覆盖时，请在命令中明确写明。"
    "[“{name}”: ]the output file already exists and was not overwritten."
    "Choose another name; to overwrite it, say so in the command."

    NoSignature "no-signature" Document ["name"]
    "[“{name}”：]文件里没有任何签章。"
    "请先盖章，再提交文件。"
    "[“{name}”: ]the document carries no signature."
    "Stamp it first, then submit it."

    DocumentNotValid "document-not-valid" Document ["name", "reason", "problem"]
    "[“{name}”：]文件的签章没有通过验证[：{reason}]。"
    "请重新下载空白表单，填写并盖章后再提交；盖章后不要再用其他软件修改文件。"
    "[“{name}”: ]the document's signature did not pass the check[: {reason}]."
    "Download the blank form again, fill, stamp and submit it; do not change a file with other programs after it was stamped."

    // ---- Portal: what a portal finds against its own records ----------------------------------------------------

    TokenTooLarge "token-too-large" Portal ["limit"]
    "提交的凭证太大[（上限 {limit} 字节）]，已拒绝。"
    "请刷新网页后重新登录或绑定。"
    "The statement is too large[ (limit {limit} bytes)] and was refused."
    "Reload the page and log in or bind again."

    TokenMalformed "token-malformed" Portal ["detail"]
    "提交的凭证格式不正确[：{detail}]，已拒绝。"
    "请刷新网页后重新登录或绑定。"
    "The statement is not well formed[: {detail}] and was refused."
    "Reload the page and log in or bind again."

    TokenType "token-type" Portal ["expected"]
    "提交的凭证不是用于此操作的[（应为 {expected}）]，已拒绝。"
    "请刷新网页后重新操作。"
    "The statement was made for another purpose[ (expected {expected})] and was refused."
    "Reload the page and do the operation again."

    NonceUnknown "nonce-unknown" Portal []
    "这次登录或绑定的随机数不存在：可能已经使用过，或者属于另一个会话。"
    "请刷新网页后重新操作。"
    "The challenge of this login or binding is not known: it was used already, or belongs to another session."
    "Reload the page and do the operation again."

    NonceExpired "nonce-expired" Portal ["seconds"]
    "这次登录或绑定用时太长，随机数已经过期[（时限 {seconds} 秒）]。"
    "请重新操作，并在时限内确认并输入密码（PIN）。"
    "This login or binding took too long; its challenge has expired[ (limit {seconds} seconds)]."
    "Do it again, and confirm and enter the PIN in time."

    AudienceMismatch "audience-mismatch" Portal ["audience"]
    "凭证是为另一个网站[（{audience}）]签署的，已拒绝。"
    "请确认地址栏中的网址正确。如果您没有打开过那个网站，请停止操作并告诉网站的技术人员。"
    "The statement was signed for another site[ ({audience})] and was refused."
    "Check the address in the address bar. If you never opened that site, stop and tell the site's support."

    AlgorithmRefused "algorithm-refused" Portal ["algorithm"]
    "本网站不接受这种签名算法[（{algorithm}）]。"
    "请换用另一张证书，或联系网站的技术人员。"
    "This site does not accept the signature algorithm[ ({algorithm})]."
    "Use another certificate, or ask the site's support."

    SignatureInvalid "signature-invalid" Portal []
    "凭证的签名不正确，已拒绝。"
    "请刷新网页后重试；如果仍然出现，请联系网站的技术人员。"
    "The statement's signature is not correct; it was refused."
    "Reload the page and try again; if it happens again, ask the site's support."

    CertificateUntrusted "certificate-untrusted" Portal ["issuer", "reason"]
    "本网站不信任这张证书[，颁发者：{issuer}][，原因：{reason}]。"
    "请使用本网站认可的 CA 机构颁发的证书。"
    "This site does not trust the certificate[; issuer: {issuer}][; reason: {reason}]."
    "Use a certificate from a CA that this site accepts."

    CertificateRevoked "certificate-revoked" Portal ["since"]
    "这张证书已被吊销[（自 {since} 起）]。"
    "请到【CA管理】办理【补办】；如果您不知道吊销的原因，请联系 CA 机构客服。"
    "The certificate has been revoked[ (since {since})]."
    "Apply under “Reissue” in “CA management”; if you do not know why it was revoked, ask the CA's support."

    RevocationUnknown "revocation-unknown" Portal ["reason"]
    "暂时无法确认证书是否已被吊销[：{reason}]。"
    "请稍后再试；如果长时间无法使用，请联系网站的技术人员。"
    "It cannot be found out at the moment whether the certificate was revoked[: {reason}]."
    "Try again later; if it lasts, ask the site's support."

    StatementExpired "statement-expired" Portal ["expired"]
    "凭证已经过期[（{expired}）]。"
    "请重新操作。如果总是这样，请检查电脑的日期和时间是否正确。"
    "The statement has expired[ ({expired})]."
    "Do the operation again. If it is always so, check this computer's date and time."

    StatementNotYetValid "statement-not-yet-valid" Portal ["issued"]
    "凭证的签署时间在将来[（{issued}）]。"
    "请检查电脑的日期和时间是否正确，然后重新操作。"
    "The statement was signed at a time in the future[ ({issued})]."
    "Check this computer's date and time, then do the operation again."

    AccountMismatch "account-mismatch" Portal []
    "凭证中的账号与当前登录的账号不一致。"
    "一个 CA 只能用于一个账号。请用要绑定的账号登录后重新绑定。"
    "The account in the statement is not the account that is logged in."
    "A key serves one account only. Log in with the account to be bound and bind again."

    CreditCodeMissing "credit-code-missing" Portal []
    "证书里没有统一社会信用代码，无法与账号核对。"
    "请使用单位证书；如果这就是单位证书，请联系 CA 机构客服。"
    "The certificate holds no unified social credit code, so it cannot be compared with the account."
    "Use the organisation's certificate; if this is the one, ask the CA's support."

    CreditCodeMismatch "credit-code-mismatch" Portal ["certificate", "account"]
    "证书的统一社会信用代码[（{certificate}）]与账号的[（{account}）]不一致。"
    "请使用本单位的证书；如果单位信息已变更，请先到【CA管理】办理【变更】，或在网站更正单位信息。"
    "The certificate's unified social credit code[ ({certificate})] is not the account's[ ({account})]."
    "Use your own organisation's certificate; if its data has changed, apply under “Change” in “CA management” or correct the account's data first."

    AccountAlreadyBound "account-already-bound" Portal []
    "这个账号已经绑定了另一个 CA。"
    "一个账号只能绑定一个 CA。如需更换，请先到【CA管理】→【解绑】，再绑定新的。"
    "This account is already bound to another key."
    "One account has one key. To change it, choose “CA management” → “Unbind” first, then bind the new one."

    CertificateAlreadyBound "certificate-already-bound" Portal []
    "这个 CA 已经绑定了另一个账号。"
    "一个 CA 只能绑定一个账号。请用原来的账号登录并【解绑】，或换用另一个 CA。"
    "This key is already bound to another account."
    "One key serves one account. Log in to that account and choose “Unbind”, or use another key."

    NotBound "not-bound" Portal []
    "这个 CA 还没有绑定账号，不能用来登录。"
    "请先用账号和密码登录，再到【CA管理】→【绑定】。证书续期、补办或变更之后也需要重新绑定。"
    "This key is not bound to an account yet, so it cannot be used to log in."
    "Log in with account and password first, then choose “CA management” → “Bind”. After reissue or change a key must be bound again."

    SignerMismatch "signer-mismatch" Portal ["signer", "expected"]
    "文件的盖章单位[（{signer}）]与账号的单位[（{expected}）]不一致。"
    "请使用本单位的 CA 盖章后重新提交。"
    "The document was stamped by another organisation[ ({signer})] than the account's[ ({expected})]."
    "Stamp it with your own organisation's key and submit it again."

    UploadTooLarge "upload-too-large" Portal ["limit"]
    "上传的文件太大[（上限 {limit} 字节）]。"
    "请缩小文件后重新上传。"
    "The uploaded file is too large[ (limit {limit} bytes)]."
    "Make the file smaller and upload it again."

    PortalBusy "portal-busy" Portal []
    "同时登录的人太多，网站暂时没有受理。"
    "请稍等一两分钟后重试。"
    "Too many people are logging in at the moment."
    "Wait a minute or two and try again."

    // ---- Portal: what the verification service and its callers tell each other ----------------------------------

    ApiKeyRefused "api-key-refused" Portal []
    "验证服务不认识这个门户的密钥，或者密钥已经停用。"
    "请检查请求头 Authorization 中的密钥，或由运维人员用 sealbridge-verify-service key create 重新生成。"
    "The verification service does not know this portal's key, or the key was revoked."
    "Check the key in the Authorization header, or have the operator make another with “sealbridge-verify-service key create”."

    RateLimited "rate-limited" Portal ["seconds"]
    "请求过于频繁，已超过本门户的限额。"
    "请等待后重试[（{seconds} 秒后）]，或由运维人员调整限额。"
    "There were too many requests; this portal's ration is used up."
    "Wait and try again[ in {seconds} s], or have the operator raise the ration."

    NotFound "not-found" Portal ["what"]
    "没有找到所要的内容[（{what}）]。"
    "请检查请求的地址和编号。"
    "There is no such thing[ ({what})]."
    "Check the address and the number in the request."

    NonceUsed "nonce-used" Portal []
    "这次登录或绑定的随机数已经使用过，不能再次使用。"
    "请刷新网页后重新操作。"
    "The challenge of this login or binding was used already and cannot be used again."
    "Reload the page and do the operation again."

    NonceOtherSession "nonce-other-session" Portal []
    "这次登录或绑定不是在当前会话中开始的，已拒绝。"
    "请在同一个浏览器窗口中重新操作。"
    "This login or binding was not started in the present session and was refused."
    "Do the operation again in this browser window."

    NonceOtherKind "nonce-other-kind" Portal []
    "随机数是为另一种操作发出的，已拒绝。"
    "请刷新网页并从头开始操作。"
    "The challenge was issued for another operation and was refused."
    "Reload the page and start the operation from its beginning."

    NothingBound "nothing-bound" Portal []
    "这个账号没有绑定 CA。"
    "请先在【CA管理】中【绑定】。"
    "This account has no key bound to it."
    "Bind one under “CA management” first."

    BindingSuspended "binding-suspended" Portal ["since"]
    "这个 CA 已经挂失[（{since}）]，不能使用。"
    "如果 Key 已经找回，请联系网站客服撤销挂失；否则请补办并重新绑定。"
    "This key was reported lost[ at {since}] and cannot be used."
    "If it was found, have the site's support withdraw the report; otherwise apply for a new one and bind that."

    RenewalSameCertificate "renewal-same-certificate" Portal []
    "所选的证书就是现在绑定的证书，没有需要更换的内容。"
    "请选择续期后的新证书。"
    "The chosen certificate is the one that is bound already; there is nothing to carry over."
    "Choose the new certificate that the renewal produced."

    RenewalOldKeyNeeded "renewal-old-key-needed" Portal []
    "需要用原来绑定的证书确认更换，但签名的是另一张证书。"
    "请插入原来的 Key 并选择原来的证书；无法使用原证书时，请解绑后重新绑定。"
    "The change must be confirmed with the certificate that is bound now, but another one signed."
    "Insert the old key and choose the old certificate; where it cannot be used any more, unbind it and bind the new one."

    RetentionNotOver "retention-not-over" Portal ["until"]
    "这些记录仍在法定保存期内[（至 {until}）]，不能删除。"
    "请在保存期结束之后再删除。"
    "These records have to be kept[ until {until}] and cannot be deleted."
    "Delete them after that time."

    UploadEmpty "upload-empty" Portal []
    "上传的文件是空的。"
    "请重新选择文件。"
    "The uploaded file is empty."
    "Choose the file again."

    UploadBroken "upload-broken" Portal []
    "文件没有完整传到。"
    "请检查网络后重新上传。"
    "The file did not arrive completely."
    "Check the network and upload it again."

    UploadTooSlow "upload-too-slow" Portal ["rate", "minutes"]
    "文件上传太慢，已中止[（每秒至少 {rate} KiB）][（全程不超过 {minutes} 分钟）]。"
    "请换用更快的网络后重新上传。"
    "The upload was too slow and was ended[; at least {rate} KiB a second are needed][; it may take {minutes} minutes in all]."
    "Upload it again over a faster network."

    StorageFailed "storage-failed" Portal []
    "服务器暂时无法保存数据，操作没有完成。"
    "请稍后重试；如果仍然出现，请联系网站客服。"
    "The server cannot keep data at the moment; the operation was not finished."
    "Try again later; if it happens again, ask the site's support."

    // ---- Sealbridge itself --------------------------------------------------------------------------------------

    Internal "internal" Sealbridge ["detail"]
    "印桥内部出错[：{detail}]，操作没有完成。"
    "请重试；如果仍然出现，请运行 sealbridge doctor，并把本提示告诉技术人员。"
    "Something went wrong inside Sealbridge[: {detail}]; the operation was not finished."
    "Try again; if it happens again, run “sealbridge doctor” and show this message to the support."
}
