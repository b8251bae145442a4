using LightTts.Extensions;

namespace LightTts.Samples.Server.Requests;

/// <summary>Lets requests in, after everything about them was checked and before anything is computed for them; counts those that are in.</summary>
internal sealed class Admission : IDisposable
{
    private readonly ServerOptions _options;
    private readonly ITtsPipelineHost _host;
    private readonly Lock _gate = new();
    private TaskCompletionSource? _idle;
    private int _active;
    private int _uploads;
    private readonly CancellationTokenSource _stopping = new();

    public Admission(ServerOptions options, ITtsPipelineHost host, IHostApplicationLifetime lifetime)
    {
        _options = options;
        _host = host;
        lifetime.ApplicationStopping.Register(BeginStop);
    }

    /// <summary>Requests that are in.</summary>
    public int Active
    {
        get
        {
            lock (_gate)
                return _active;
        }
    }

    /// <summary>Uploads that are read, or wait for their text.</summary>
    public int Uploads
    {
        get
        {
            lock (_gate)
                return _uploads;
        }
    }

    public bool IsStopping => _stopping.IsCancellationRequested;

    /// <summary>Cancelled when the server begins to stop.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Lets nothing in any more. A signal comes here by the host's lifetime, a stop by its code by <see cref="Hosting.Drain"/>.</summary>
    public void BeginStop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    /// <summary>Says no while there is no model, or no more of one.</summary>
    /// <exception cref="RequestFailedException">503.</exception>
    public void ThrowIfNotReady()
    {
        if (IsStopping)
            throw new RequestFailedException(Failure.Stopping);
        switch (_host.State)
        {
            case TtsPipelineState.Ready:
                return;
            case TtsPipelineState.Faulted:
                throw new RequestFailedException(Failure.Broken);
            case TtsPipelineState.Stopping or TtsPipelineState.Stopped:
                throw new RequestFailedException(Failure.Stopping);
            default:
                throw new RequestFailedException(Failure.Loading);
        }
    }

    /// <summary>Says no where there is no place now; takes none.</summary>
    /// <exception cref="RequestFailedException">429.</exception>
    public void ThrowIfFull(Client client)
    {
        lock (_gate)
        {
            if (_active >= _options.MaxConcurrentRequests)
                throw new RequestFailedException(Failure.Busy($"The server speaks {_options.MaxConcurrentRequests} requests, its limit."));
            if (client.Active >= client.Limit)
                throw new RequestFailedException(Failure.Busy($"{client.Limit} of your requests run already, your limit."));
        }
    }

    /// <summary>Takes a place; dispose it to give it back.</summary>
    /// <exception cref="RequestFailedException">429 or 503.</exception>
    public Place Enter(Client client)
    {
        ThrowIfNotReady();
        lock (_gate)
        {
            ThrowIfFull(client);
            client.TakeTurn(); // last: what finds no place costs none
            _active++;
            client.Active++;
        }
        return new Place(() => Leave(client));
    }

    /// <summary>Lets an upload be read; dispose what comes back when the request has its place. Bodies cost memory
    /// and disk before anything is spoken, and without this bound a client could have one on each of its connections.</summary>
    /// <exception cref="RequestFailedException">429 or 503.</exception>
    public Place BeginUpload(Client client)
    {
        ThrowIfNotReady();
        lock (_gate)
        {
            if (_uploads >= _options.UploadLimit)
                throw new RequestFailedException(Failure.Busy($"The server reads {_options.UploadLimit} uploads, its limit."));
            if (client.Uploads >= _options.ClientUploadLimit)
                throw new RequestFailedException(Failure.Busy($"{_options.ClientUploadLimit} of your uploads are being read, your limit."));
            _uploads++;
            client.Uploads++;
        }
        return new Place(() =>
        {
            lock (_gate)
            {
                _uploads--;
                client.Uploads--;
            }
        });
    }

    /// <summary>Done when nothing is in.</summary>
    public Task WhenIdle()
    {
        lock (_gate)
            return _active == 0 ? Task.CompletedTask : (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    private void Leave(Client client)
    {
        TaskCompletionSource? idle = null;
        lock (_gate)
        {
            client.Active--;
            if (--_active == 0)
                (idle, _idle) = (_idle, null);
        }
        idle?.SetResult();
    }

    /// <summary>A request's place.</summary>
    internal sealed class Place(Action leave) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                leave();
        }
    }
}
