using LightTts.Extensions.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LightTts.Tests.Extensions.Fakes;

/// <summary>Hosts around fake pipelines.</summary>
internal static class Hosts
{
    public const string Story = "one two three four. five six seven eight nine ten. eleven twelve. a bb ccc dddd eeeee ffffff.";

    public static IHost Create(FakeLoader loader, Action<IServiceCollection> register, TimeProvider? time = null)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IPipelineLoader>(loader);
        if (time is not null)
            builder.Services.AddSingleton(time);
        register(builder.Services);
        return builder.Build();
    }

    public static IConfigurationSection Section(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(pair =>
        KeyValuePair.Create("LightTts:" + pair.Key, (string?)pair.Value))).Build().GetSection("LightTts");
}
