using LightTts.Extensions;
using LightTts.Tests.Extensions.Fakes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LightTts.Tests.Extensions;

public class OptionsTests
{
    [Fact]
    public async Task A_missing_model_directory_stops_the_start_with_the_cure()
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts(Hosts.Section(("ModelPath", "/nowhere/model"))));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Contains("LightTts: ModelPath is '/nowhere/model'; there is no such directory.", error.Message.Replace("Property ", ""));
        Assert.Contains("LightTts.Models.TinyEn", error.Message);
        Assert.Empty(loader.Pipelines);
    }

    [Fact]
    public async Task All_that_is_wrong_is_said_at_once_and_says_whose_options_they_are()
    {
        using var host = Hosts.Create(new FakeLoader(), services => services.AddKeyedLightTts("guide", options =>
        {
            options.MaxActiveRequests = 0;
            options.DrainTimeout = TimeSpan.FromSeconds(-1);
            options.Threads = -2;
            options.TimbreSegmentBytes = 5;
        }));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(4, error.Failures.Count());
        Assert.All(error.Failures, failure => Assert.Contains("LightTts 'guide'", failure));
        Assert.Contains("MaxActiveRequests is 0; set at least 1 (default 64).", error.Message);
        Assert.Contains("DrainTimeout is -00:00:01; set zero (end at once) up to 40 days", error.Message);
        Assert.Contains("Threads is -2; set 1 to 1024", error.Message);
        Assert.Contains("TimbreSegmentBytes is 5; set 1048576", error.Message);
    }

    [Theory]
    [InlineData("Device", "gpu")]
    [InlineData("MaxActiveRequests", "many")]
    public async Task A_value_that_does_not_exist_stops_the_start_and_is_named(string key, string value)
    {
        using var host = Hosts.Create(new FakeLoader(), services => services.AddLightTts(Hosts.Section((key, value))));
        var error = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.Contains(key, error.Message);
    }

    [Fact]
    public async Task A_misspelt_name_stops_the_start_with_what_was_meant_and_what_there_is()
    {
        using var host = Hosts.Create(new FakeLoader(), services =>
            services.AddLightTts(Hosts.Section(("ModelPth", "x"), ("timbres", "y"), ("modelpath", Path.GetTempPath()), ("Threads", "0"))));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(3, error.Failures.Count());
        Assert.Contains("'LightTts:ModelPth' is not an option; did you mean ModelPath? The options are: ModelPath, Device, ", error.Message);
        Assert.Contains("'LightTts:timbres' is not an option; did you mean MaxTimbres? The options are: ", error.Message);
        Assert.Contains("Threads is 0; set 1 to 1024", error.Message);
    }

    [Theory]
    [InlineData("MaxQueueRequests", "MaxActiveRequests")]
    [InlineData("devise", "Device")]
    [InlineData("Warm_Up", "WarmUp")]
    [InlineData("ConnectionString", null)]
    public void The_nearest_name_is_suggested_where_one_is_near(string written, string? meant) => Assert.Equal(meant, OptionNames.Nearest(written));

    [Fact]
    public void Names_are_those_of_the_options() =>
        Assert.Equal(typeof(LightTtsOptions).GetProperties().Select(property => property.Name).Order(), OptionNames.All.Order());

    [Fact]
    public async Task Every_option_reaches_the_pipeline()
    {
        var section = Hosts.Section(("ModelPath", Path.GetTempPath()), ("Device", "Cpu"), ("DeviceIndex", "1"), ("Precision", "Float32"),
            ("LanguagePrecision", "Int8"), ("FlowPrecision", "BFloat16"), ("Threads", "3"),
            ("Decoder", "OnnxRuntime"), ("OnnxProviders:0", "Cuda"), ("OnnxProviders:1", "Cpu"), ("OnnxCacheDirectory", "engines"),
            ("OnnxHalfPrecision", "true"), ("OnnxWorkspaceBytes", "15"), ("OnnxMinFrames", "16"), ("OnnxOptimalFrames", "17"),
            ("OnnxMaxFrames", "18"),
            ("Devices", "cuda:0, cuda:1"),
            ("NativeLibraryPath", Path.GetTempPath()), ("MaxActiveRequests", "5"), ("MaxLanguageRows", "6"), ("RequestTimeout", "00:01:00"),
            ("TextIdleTimeout", "00:00:07"),
            ("KvCacheTokens", "2048"), ("StyleBytes", "7"), ("FlowCacheBytes", "8"), ("MaxTextLength", "9"), ("MaxBufferedAudio", "00:00:10"),
                ("ShareTimbres", "false"),
            ("TimbreSegmentPath", "seg"), ("TimbreSegmentBytes", "2097152"), ("TimbreProcessBytes", "11"), ("MaxTimbres", "12"),
            ("TimbreDurable", "false"), ("TimbreDurableFolder", "named"), ("MaxDurableTimbres", "14"), ("TimbreTenant", "acme"),
            ("TimbreExtractionWait", "00:00:13"));
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts(section));
        await host.StartAsync();
        var options = loader.Options.Single();
        Assert.Equal(Path.GetTempPath(), options.ModelPath);
        Assert.Equal((ComputeDevice.Cpu, 1, ComputePrecision.Float32, 3), (options.Device, options.DeviceIndex, options.Precision, options.Threads));
        Assert.Equal((ComputePrecision.Int8, ComputePrecision.BFloat16), (options.LanguagePrecision, options.FlowPrecision));
        Assert.Equal([TtsDevice.Cuda(0), TtsDevice.Cuda(1)], options.Devices!);
        Assert.Equal(Path.GetTempPath(), options.NativeLibraryPath);
        Assert.Equal(DecoderEngine.OnnxRuntime, options.Decoder);
        Assert.Equal([ExecutionProvider.Cuda, ExecutionProvider.Cpu], options.OnnxRuntime.Providers);
        Assert.Equal(("engines", true, 15L),
            (options.OnnxRuntime.CacheDirectory, options.OnnxRuntime.HalfPrecision, options.OnnxRuntime.WorkspaceBytes));
        Assert.Equal((16, 17, 18), (options.OnnxRuntime.MinFrames, options.OnnxRuntime.OptimalFrames, options.OnnxRuntime.MaxFrames));
        Assert.Equal((5, 6, 2048, 8L, 9),
            (options.MaxActiveRequests, options.MaxLanguageRows, options.KvCacheTokens, options.FlowCacheBytes, options.MaxTextLength));
        Assert.Equal(TimeSpan.FromMinutes(1), options.RequestTimeout);
        Assert.Equal((7, 10), (options.TextIdleTimeout.TotalSeconds, options.MaxBufferedAudio.TotalSeconds));
        Assert.Equal((false, "seg", 2097152L, 11L),
            (options.Timbres.Shared, options.Timbres.SegmentPath, options.Timbres.SegmentBytes, options.Timbres.ProcessBytes));
        Assert.Equal((false, "named", 14), (options.Timbres.Durable, options.Timbres.DurableFolder, options.Timbres.MaxDurableTimbres));
        Assert.Equal((12, "acme", 13), (options.Timbres.MaxTimbres, options.Timbres.Tenant, options.Timbres.ExtractionWait.TotalSeconds));
        await host.StopAsync();
    }

    [Fact]
    public async Task A_dictionary_is_read_and_a_bad_one_stops_the_start()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "SQL = sequel\n");
            var loader = new FakeLoader();
            using (var host = Hosts.Create(loader, services =>
                services.AddLightTts(Hosts.Section(("ModelPath", Path.GetTempPath()), ("Pronunciations", path), ("English", "British"),
                ("Emoji", "Named")))))
            {
                await host.StartAsync();
                var options = loader.Options.Single();
                Assert.Equal((1, EnglishReading.British, EmojiReading.Named), (options.Pronunciations!.Count, options.English, options.Emoji));
                var spoken = Assert.Single(await host.Services.GetRequiredService<ITtsPipeline>().NormalizeAsync(new SynthesisRequest { Text =
                    "hi" }));
                Assert.Equal("hi.", spoken.Text);
                await host.StopAsync();
            }
            File.WriteAllText(path, "SQL\n");
            using var bad = Hosts.Create(new FakeLoader(), services =>
                services.AddLightTts(Hosts.Section(("ModelPath", Path.GetTempPath()), ("Pronunciations", path))));
            var error = await Assert.ThrowsAsync<OptionsValidationException>(() => bad.StartAsync());
            Assert.Contains("line 1 is not an entry: write 'word = spelling'", error.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A pipeline option that was added to the library and forgotten here fails this test.</summary>
    [Fact]
    public void Defaults_are_those_of_the_library_and_none_is_missing()
    {
        var library = new TtsPipelineOptions();
        var mapped = new LightTtsOptions().ToPipelineOptions();
        foreach (var property in typeof(TtsPipelineOptions).GetProperties().Where(property =>
            property.Name is not ("Timbres" or "OnnxRuntime" or "LoggerFactory" or "TimeProvider")))
        {
            Assert.NotNull(typeof(LightTtsOptions).GetProperty(property.Name));
            Assert.Equal(property.GetValue(library), property.GetValue(mapped));
        }
        foreach (var property in typeof(OnnxRuntimeOptions).GetProperties())
        {
            Assert.NotNull(typeof(LightTtsOptions).GetProperty("Onnx" + property.Name));
            Assert.Equal(property.GetValue(library.OnnxRuntime), property.GetValue(mapped.OnnxRuntime));
        }
        foreach (var property in typeof(TimbreStoreOptions).GetProperties())
            Assert.Equal(property.GetValue(library.Timbres), property.GetValue(mapped.Timbres));
    }

    [Fact]
    public async Task A_reload_of_the_configuration_does_not_disturb_what_runs()
    {
        var source = new Dictionary<string, string?> { ["LightTts:MaxActiveRequests"] = "3" };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(source).Build();
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts(configuration.GetSection("LightTts")));
        await host.StartAsync();
        configuration["LightTts:MaxActiveRequests"] = "-1";
        configuration["LightTts:Nonsense"] = "x";
        configuration.Reload();
        Assert.NotEmpty((await host.Services.GetRequiredService<ITtsPipeline>().SpeakAsync("still here.")).Samples.ToArray());
        Assert.Equal(0, loader.Pipeline.Disposals);
        await host.StopAsync();
    }
}
