using LightTts.Hub;
using LightTts.Tests.Support;

namespace LightTts.Tests.Hub;

/// <summary>Options go before the variables of the hubs' own tools, and those before the defaults.</summary>
public sealed class HubSettingsTests
{
    [Fact]
    public void The_environment_is_read_as_the_hub_s_own_tools_read_it()
    {
        using var folder = new TempFolder();
        folder.Write("home/token", "saved\n");
        var defaults = Resolve(new(), ("HOME", "/home/me"));
        Assert.Equal(("https://huggingface.co", "main", false, null), (defaults.Endpoint, defaults.Revision, defaults.Offline, defaults.Token));
        if (!OperatingSystem.IsWindows())
            Assert.Equal("/home/me/.cache/huggingface/hub", defaults.Cache);
        Assert.Equal(Path.Combine(folder.Path, "x", "huggingface", "hub"), Resolve(new(), ("XDG_CACHE_HOME", folder["x"])).Cache);
        var set = Resolve(new(), ("HF_ENDPOINT", "http://mirror.example:81/hf/"), ("HF_HOME", folder["home"]), ("HF_HUB_OFFLINE", "1"));
        Assert.Equal(("http://mirror.example:81/hf", folder["home/hub"], "saved", true), (set.Endpoint, set.Cache, set.Token, set.Offline));
        Assert.Null(Resolve(new(), ("HF_HOME", folder["home"]), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")).Token);
        Assert.Equal((folder["c"], "given"), Of(Resolve(new(), ("HF_HOME", folder["home"]), ("HF_HUB_CACHE", folder["c"]), ("HF_TOKEN", "given"))));
        var options = new ModelHubOptions { CacheFolder = folder["d"], Token = "mine", Offline = false, Revision = "v2",
            Endpoint = new Uri("https://here.example") };
        var own = Resolve(options, ("HF_HUB_CACHE", folder["c"]), ("HF_TOKEN", "given"), ("HF_HUB_OFFLINE", "1"), ("HF_ENDPOINT", "http://there"));
        Assert.Equal((folder["d"], "mine", false, "v2", "https://here.example"), (own.Cache, own.Token, own.Offline, own.Revision, own.Endpoint));
    }

    [Fact]
    public void ModelScope_is_known_by_its_kind_and_by_its_name()
    {
        var chosen = Resolve(new() { Kind = ModelHubKind.ModelScope },
            ("MODELSCOPE_API_TOKEN", "t"), ("HF_TOKEN", "other"), ("HF_ENDPOINT", "http://hf"));
        Assert.Equal(("https://www.modelscope.cn", "master", "t"), (chosen.Endpoint, chosen.Revision, chosen.Token));
        Assert.Equal(ModelHubKind.ModelScope, Resolve(new() { Endpoint = new Uri("https://modelscope.example") }).Kind);
    }

    [Theory]
    [InlineData("ftp://x")]
    [InlineData("nothing")]
    public void An_endpoint_that_is_no_address_is_refused(string endpoint) =>
        Assert.Throws<ArgumentException>(() => Resolve(new(), ("HF_ENDPOINT", endpoint)));

    private static (string, string?) Of(HubSettings settings) => (settings.Cache, settings.Token);

    private static HubSettings Resolve(ModelHubOptions options, params (string Name, string Value)[] environment) =>
        HubSettings.Resolve(options, name => environment.FirstOrDefault(pair => pair.Name == name).Value);
}
