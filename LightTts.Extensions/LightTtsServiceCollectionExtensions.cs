using LightTts;
using LightTts.Extensions;
using LightTts.Extensions.AI;
using LightTts.Extensions.Health;
using LightTts.Extensions.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts LightTts into a host.</summary>
/// <remarks>
/// Registers, as singletons: <see cref="ITtsPipeline"/>, <see cref="ITtsPipelineHost"/>
/// and Microsoft.Extensions.AI's text-to-speech client; a hosted service that loads
/// and drains the pipeline; and the health checks "lighttts" (tag "ready") and
/// "lighttts-live" (tag "live"), with ":key" behind the name for keyed ones.
/// Options are validated when the host starts. Calling a method again for the same key only adds to its options.
/// </remarks>
public static class LightTtsServiceCollectionExtensions
{
    /// <summary>Adds the application's voice.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options. Default: the embedded English voice on the best device.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddLightTts(this IServiceCollection services, Action<LightTtsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddPipeline(null, configure);
    }

    /// <summary>Adds the application's voice, with its options from configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">The options by the names of <see cref="LightTtsOptions"/>; a name that is none of these stops the start.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddLightTts(this IServiceCollection services, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        return services.AddPipeline(null, Binder(section));
    }

    /// <summary>Adds one of several voices, to be resolved by its key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key, and the name of its options; not empty.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddKeyedLightTts(this IServiceCollection services, string serviceKey, Action<LightTtsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(serviceKey);
        return services.AddPipeline(serviceKey, configure);
    }

    /// <summary>Adds one of several voices, to be resolved by its key, with its options from configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key, and the name of its options; not empty.</param>
    /// <param name="section">The options by the names of <see cref="LightTtsOptions"/>; a name that is none of these stops the start.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddKeyedLightTts(this IServiceCollection services, string serviceKey, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(serviceKey);
        ArgumentNullException.ThrowIfNull(section);
        return services.AddPipeline(serviceKey, Binder(section));
    }

    // No change token: a pipeline reads its options once, and a reload with a mistake in it must not throw into whoever reloads.
    private static Action<LightTtsOptions> Binder(IConfigurationSection section) => options =>
    {
        options.NameFaults.AddRange(OptionNames.Faults(section));
        section.Bind(options);
    };

    private static IServiceCollection AddPipeline(this IServiceCollection services, string? key, Action<LightTtsOptions>? configure)
    {
        var name = key ?? Options.Options.DefaultName;
        var options = services.AddOptions<LightTtsOptions>(name);
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(PipelineHost) && Equals(service.ServiceKey, name)))
            return services;

        options.ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LightTtsOptions>, LightTtsOptionsValidator>());
        services.TryAddSingleton<IPipelineLoader, TtsPipelineLoader>();
        services.AddKeyedSingleton(name, CreateHost);
        services.AddSingleton(new PipelineName(name));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PipelineHostedService>());
        if (key is null)
        {
            services.AddSingleton<ITtsPipeline>(static provider => Host(provider, Options.Options.DefaultName).Pipeline);
            services.AddSingleton<ITtsPipelineHost>(static provider => Host(provider, Options.Options.DefaultName));
        }
        else
        {
            services.AddKeyedSingleton<ITtsPipeline>(key, static (provider, name) => Host(provider, name).Pipeline);
            services.AddKeyedSingleton<ITtsPipelineHost>(key, static (provider, name) => Host(provider, name));
        }
        services.AddSpeechClient(key);
        AddHealthChecks(services, name);
        return services;
    }

    private static void AddHealthChecks(IServiceCollection services, string name)
    {
        var suffix = name.Length == 0 ? "" : ":" + name;
        services.AddHealthChecks()
            .Add(new HealthCheckRegistration("lighttts" + suffix, provider => new ReadinessCheck(Host(provider, name)), null, ["ready"]))
            .Add(new HealthCheckRegistration("lighttts-live" + suffix, provider => new LivenessCheck(Host(provider, name)), null, ["live"]));
    }

    private static PipelineHost Host(IServiceProvider provider, object? name) => provider.GetRequiredKeyedService<PipelineHost>(name);

    private static PipelineHost CreateHost(IServiceProvider provider, object? name) => new(
        provider.GetRequiredService<IOptionsMonitor<LightTtsOptions>>().Get((string?)name),
        provider.GetRequiredService<IPipelineLoader>(),
        provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
        provider.GetService<TimeProvider>() ?? TimeProvider.System);
}
